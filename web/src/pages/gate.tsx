// SPDX-License-Identifier: Apache-2.0
// What stands before the door: logging in, also on top of a page whose session has ended, and the link that sets a password.
import type {ComponentChildren, JSX} from "preact";
import {useEffect, useRef, useState} from "preact/hooks";
import * as api from "#gen/api.ts";
import {ApiError, call} from "../lib/api.ts";
import {_, fmt, ngettext} from "../lib/i18n.ts";
import {navigate} from "../lib/router.ts";
import {CookieRefused, logIn, startSession, type User} from "../lib/session.ts";
import {Button, Heading, Notice, TextField} from "../ui/controls.tsx";
import {Logo} from "../ui/icons.tsx";

function Gate({children}: { children: ComponentChildren }): JSX.Element {
  return <div class="gate"><main>
    <div class="brand"><Logo size={32}/>Sluice</div>
    <div class="card"><div class="card-body stack">{children}</div></div>
  </main></div>;
}

function explain(error: unknown): string {
  if (error instanceof CookieRefused)
    return _("The password is right, but the browser did not keep the session's cookie. Cookies must be allowed for this address; and when PublicUrl of the server begins with https, the page must be opened by https too.");
  if (error instanceof ApiError && error.status === 429 && error.retryAfter !== null)
    return ngettext("Too many failed logins. Try again in $0 second.", "Too many failed logins. Try again in $0 seconds.", error.retryAfter, error.retryAfter);
  if (error instanceof ApiError && error.status === 401) return _("E-mail or password is wrong.");
  return error instanceof Error ? error.message : String(error);
}

/** What is shown after it is for the session's state to say. */
function LoginForm({email: given}: { email?: string }): JSX.Element {
  const [email, setEmail] = useState(given ?? "");
  const [password, setPassword] = useState("");
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setError(null);
    try {
      await logIn(email.trim(), password);
    } catch (caught) {
      setError(explain(caught));
      setBusy(false);
    }
  }

  return <form class="stack" method="post" onSubmit={event => void submit(event)}>
    {error !== null && <Notice tone="bad">{error}</Notice>}
    <TextField label={_("E-mail")} type="email" name="email" autocomplete="username" value={email} onInput={setEmail} required focus={given === undefined}/>
    <TextField label={_("Password")} type="password" name="password" autocomplete="current-password" value={password} onInput={setPassword} required
      focus={given !== undefined}/>
    <Button kind="primary" submit wide busy={busy}>{_("Log in")}</Button>
  </form>;
}

export function LoginPage(): JSX.Element {
  return <Gate>
    <Heading title={_("Log in")}>{_("Log in")}</Heading>
    <LoginForm/>
  </Gate>;
}

/** On top of the page, so that nothing that was typed is lost. */
export function LoginAgain({user}: { user: User }): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => { dialog.current?.showModal(); }, []);
  return <dialog ref={dialog} aria-labelledby="login-again" onCancel={event => event.preventDefault()}>
    <div class="card-body stack">
      <h2 id="login-again">{_("Your session has ended")}</h2>
      <p>{_("Log in again to go on where you were; nothing that you typed is lost.")}</p>
      <LoginForm email={user.email}/>
    </div>
  </dialog>;
}

const SHORTEST = 8; // as the server has it: SetupRequest of data/api/session.yaml

export function SetupPage(): JSX.Element {
  const [token] = useState(() => new URLSearchParams(window.location.hash.slice(1)).get("token") ?? "");
  const [email, setEmail] = useState("");
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setError(null);
    try {
      const done = await call(api.setupComplete, {token, password, email: email.trim(), ...(name.trim() !== "" && {name: name.trim()})});
      await logIn(done.email, password);
      navigate("/connections", {replace: true});
    } catch (caught) {
      setError(caught instanceof ApiError && caught.status === 403
        ? _("This link was used before or has expired. On the host, “sluicectl setup-link” as root makes a new one.") : explain(caught));
      setBusy(false);
    }
  }

  if (token === "")
    return <Gate>
      <Heading title={_("Set up Sluice")}>{_("Set up Sluice")}</Heading>
      <p>{_("This page needs the link that the installation has written to the journal. As root on the host:")}</p>
      <pre><code>sluicectl setup-link</code></pre>
      <p><a href="/login">{_("Log in instead")}</a></p>
    </Gate>;
  return <Gate>
    <div class="stack-small">
      <Heading title={_("Set up Sluice")}>{_("Welcome to Sluice")}</Heading>
      <p class="muted">{_("Choose what you will log in with. The link that brought you here is good once.")}</p>
    </div>
    <form class="stack" method="post" onSubmit={event => void submit(event)}>
      {error !== null && <Notice tone="bad">{error}</Notice>}
      <TextField label={_("E-mail")} type="email" name="email" autocomplete="username" value={email} onInput={setEmail} required focus/>
      <TextField label={_("Name")} name="name" autocomplete="name" value={name} onInput={setName} optional/>
      <TextField label={_("Password")} type="password" name="password" autocomplete="new-password" value={password} onInput={setPassword} required
        minLength={SHORTEST} hint={fmt(_("At least $0 characters."), SHORTEST)}/>
      <Button kind="primary" submit wide busy={busy}>{_("Set password and log in")}</Button>
    </form>
  </Gate>;
}

export function UnreachablePage({error}: { error: ApiError }): JSX.Element {
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    const timer = setInterval(() => void startSession(), 5000);
    return () => clearInterval(timer);
  }, []);
  return <Gate>
    <Heading title={_("No answer")}>{_("The server does not answer")}</Heading>
    <p class="muted">{error.message}</p>
    <Button kind="primary" busy={busy} onClick={() => { setBusy(true); void startSession().finally(() => setBusy(false)); }}>{_("Try again")}</Button>
  </Gate>;
}
