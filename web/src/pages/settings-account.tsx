// SPDX-License-Identifier: Apache-2.0
// The person's own: name, password, colours and language of this browser.
import type {JSX} from "preact";
import {useState} from "preact/hooks";
import * as api from "#gen/api.ts";
import {call, type ConfigUserRead} from "../lib/api.ts";
import {useCell} from "../lib/cell.ts";
import {catalogs} from "../config.ts";
import {_} from "../lib/i18n.ts";
import {chooseLanguage, chooseTheme, preferredLanguage, theme, type Theme} from "../lib/preferences.ts";
import {useQuery} from "../lib/query.ts";
import {logIn, session} from "../lib/session.ts";
import {Button, TextField} from "../ui/controls.tsx";
import {Loaded} from "../ui/page.tsx";
import {Card, Settings, useDeed} from "../ui/settings.tsx";

const THEMES: readonly { theme: Theme; text: () => string }[] = [
  {theme: "system", text: () => _("As the system")}, {theme: "light", text: () => _("Light")}, {theme: "dark", text: () => _("Dark")},
];

/** A language in its own words: who is looking for it reads it. */
function ownName(tag: string): string {
  const name = new Intl.DisplayNames([tag], {type: "language"}).of(tag) ?? tag;
  return name.charAt(0).toLocaleUpperCase(tag) + name.slice(1);
}

function BrowserCard(): JSX.Element {
  const chosen = useCell(theme);
  return <Card title={_("This browser")} hint={_("Kept by the browser, for you alone.")}>
    <fieldset class="field"><legend class="label">{_("Colours")}</legend>
      <div class="tiles">{THEMES.map(each => <label key={each.theme} class="tile"><input type="radio" name="theme" checked={chosen === each.theme}
        onChange={() => chooseTheme(each.theme)}/>{each.text()}</label>)}</div></fieldset>
    <div class="field narrow-form"><label for="language">{_("Language")}</label>
      <select id="language" class="input" value={preferredLanguage() ?? ""} onChange={event => chooseLanguage(event.currentTarget.value || null)}>
        <option value="">{_("As the browser asks for")}</option>
        {["en", ...Object.keys(catalogs)].map(tag => <option key={tag} value={tag} lang={tag}>{ownName(tag)}</option>)}
      </select></div>
  </Card>;
}

function NameCard({user, reload}: { user: ConfigUserRead; reload: () => Promise<void> }): JSX.Element {
  const [name, setName] = useState(user.name ?? "");
  const {busy, run} = useDeed();

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    if (await run(() => call(api.configUserUpdate, {userId: user.userId, name: name.trim()}), _("Saved."))) await reload();
  }

  return <Card title={_("Your name")} hint={user.email}>
    <form class="stack narrow-form" onSubmit={event => void submit(event)}>
      <TextField label={_("Name")} value={name} onInput={setName} autocomplete="name"/>
      <div class="row"><Button kind="primary" submit busy={busy}>{_("Save")}</Button></div>
    </form>
  </Card>;
}

const SHORTEST = 8; // as the server has it: PasswordRequest of data/api/session.yaml

function PasswordCard({email}: { email: string }): JSX.Element {
  const [old, setOld] = useState("");
  const [next, setNext] = useState("");
  const [error, setError] = useState<string | null>(null);
  const {busy, run} = useDeed();

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    if (next.length < SHORTEST) {
      setError(_("This is too short."));
      return;
    }
    if (await run(async () => {
      await call(api.passwordChange, {oldPassword: old, newPassword: next});
      await logIn(email, next); // every session has ended, this one too
    }, _("The password is changed; other sessions have ended."))) {
      setOld("");
      setNext("");
    }
  }

  return <Card title={_("Password")}>
    <form class="stack narrow-form" onSubmit={event => void submit(event)} noValidate>
      <input class="said" type="email" name="email" autocomplete="username" value={email} readOnly tabIndex={-1} aria-hidden="true"/>
      <TextField label={_("Present password")} type="password" value={old} onInput={setOld} autocomplete="current-password"/>
      <TextField label={_("New password")} type="password" value={next} onInput={value => { setNext(value); setError(null); }} error={error} autocomplete="new-password"/>
      <div class="row"><Button kind="primary" submit busy={busy}>{_("Change the password")}</Button></div>
    </form>
  </Card>;
}

export default function AccountSettings(): JSX.Element {
  const now = useCell(session);
  const id = now.state === "in" || now.state === "ended" ? now.user.userId : null;
  const user = useQuery(api.configUserGet, id === null ? null : {userId: id});
  return <Settings>
    <BrowserCard/>
    <Loaded answer={user}>{data => <>
      <NameCard key={data.userId} user={data} reload={user.reload}/>
      <PasswordCard email={data.email}/>
    </>}</Loaded>
  </Settings>;
}
