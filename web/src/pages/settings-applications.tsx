// SPDX-License-Identifier: Apache-2.0
// Programs that act for a person: each has an id and a secret, for which the API gives tokens.
import type {JSX} from "preact";
import {useState} from "preact/hooks";
import * as api from "#gen/api.ts";
import {call, type ApplicationResponse} from "../lib/api.ts";
import {_, fmt} from "../lib/i18n.ts";
import {useQuery} from "../lib/query.ts";
import {duration} from "../lib/time.ts";
import {Ago, Button, Empty, Notice, TextField} from "../ui/controls.tsx";
import {Copyable} from "../ui/copyable.tsx";
import {Confirm} from "../ui/dialog.tsx";
import {Loaded} from "../ui/page.tsx";
import {Card, Settings, useDeed} from "../ui/settings.tsx";

interface Token {
  name: string;
  text: string;
  seconds: number;
}

const isKnown = (secret: string): boolean => !/^\*+$/.test(secret);

function ApplicationRow({application, onToken, onRemove}: { application: ApplicationResponse; onToken: (token: Token) => void; onRemove: () => void }): JSX.Element {
  const {busy, run} = useDeed();
  const [shown, setShown] = useState(false);
  const {name, clientId, clientSecret} = application;
  return <div class="item stack-small" role="group" aria-label={name}>
    <div class="row"><div class="grow"><h3>{name}</h3><p class="small muted">{_("Made")} <Ago at={application.createdAt}/></p></div>
      {isKnown(clientSecret) && <Button onClick={() => setShown(!shown)}>{shown ? _("Hide the secret") : _("Show the secret")}</Button>}
      {isKnown(clientSecret) && <Button busy={busy} onClick={() => void run(async () => {
        const token = await call(api.tokenCreateConfig, {client_id: clientId, client_secret: clientSecret});
        onToken({name, text: token.access_token, seconds: token.expires_in});
      })}>{_("Make a token")}</Button>}
      <Button kind="quiet" icon="close" label={fmt(_("Remove $0"), name)} onClick={onRemove}>{null}</Button></div>
    <dl class="pairs"><dt>{_("Client ID")}</dt><dd><Copyable text={clientId} label={fmt(_("Client ID of $0"), name)}/></dd>
      {shown && <><dt>{_("Client secret")}</dt><dd><Copyable text={clientSecret} label={fmt(_("Client secret of $0"), name)}/></dd></>}</dl>
  </div>;
}

function Applications(): JSX.Element {
  const list = useQuery(api.applicationList, undefined as void);
  const [name, setName] = useState("");
  const [error, setError] = useState<string | null>(null);
  const [token, setToken] = useState<Token | null>(null);
  const [removing, setRemoving] = useState<ApplicationResponse | null>(null);
  const {busy, run} = useDeed();

  async function create(event: Event): Promise<void> {
    event.preventDefault();
    if (name.trim() === "") setError(_("This is needed."));
    else if (await run(() => call(api.applicationCreate, {name: name.trim()}))) {
      setName("");
      await list.reload();
    }
  }

  return <>
    <Card title={_("Your applications")} hint={_("An application may do what you may. “sluicectl login” takes its id and secret, too.")}>
      {token && <Notice tone="ok"><div class="stack-small"><p>{fmt(_("A token of $0, good for $1. It is shown only now."), token.name, duration(token.seconds * 1000))}</p>
        <Copyable text={token.text} label={_("Token")}/></div></Notice>}
      <Loaded answer={list}>{({applications}) => applications.length === 0 ? <Empty icon="settings" title={_("No applications yet")}/>
        : <div class="stack">{applications.map(each => <ApplicationRow key={each.id} application={each} onToken={setToken} onRemove={() => setRemoving(each)}/>)}</div>}</Loaded>
    </Card>
    <Card title={_("Another application")}>
      <form class="stack narrow-form" onSubmit={event => void create(event)} noValidate>
        <TextField label={_("Name of the application")} value={name} onInput={value => { setName(value); setError(null); }} error={error} autocomplete="off"/>
        <div class="row"><Button kind="primary" submit busy={busy}>{_("Create the application")}</Button></div>
      </form>
    </Card>
    {removing && <Confirm title={fmt(_("Remove $0?"), removing.name)} action={_("Remove")} danger onClose={() => setRemoving(null)}
      onConfirm={async () => {
        await call(api.applicationDelete, {applicationId: removing.id});
        await list.reload();
      }}><p>{_("Its tokens are refused from now on, and programs that use it with them.")}</p></Confirm>}
  </>;
}

export default function ApplicationSettings(): JSX.Element {
  return <Settings><Applications/></Settings>;
}
