// SPDX-License-Identifier: Apache-2.0
import {render, type ComponentType, type JSX} from "preact";
import {useEffect, useState} from "preact/hooks";
import {afterLogin} from "./lib/addresses.ts";
import {useCell} from "./lib/cell.ts";
import {startEvents, stopEvents} from "./lib/events.ts";
import {_, loadLanguage} from "./lib/i18n.ts";
import {preferredLanguage, startPreferences} from "./lib/preferences.ts";
import {forgetAnswers} from "./lib/query.ts";
import {match, navigate, startRouter, useLocation, type Params} from "./lib/router.ts";
import {session, startSession} from "./lib/session.ts";
import {LoginAgain, LoginPage, SetupPage, UnreachablePage} from "./pages/gate.tsx";
import {Empty, Heading, Notice} from "./ui/controls.tsx";
import {Shell} from "./ui/shell.tsx";
import {Toasts} from "./ui/toasts.tsx";

type Page = ComponentType<Params>;

/** Each page is a file of its own, fetched when it is first gone to. */
const ROUTES: readonly { pattern: string; load: () => Promise<{ default: ComponentType<never> }> }[] = [
  {pattern: "/connections", load: () => import("./pages/connections.tsx")},
  {pattern: "/connections/new", load: () => import("./pages/new-connection.tsx")},
  {pattern: "/connections/:connectionId", load: () => import("./pages/connection.tsx")},
  {pattern: "/connections/:connectionId/:tab", load: () => import("./pages/connection.tsx")},
  ...(["/sources", "/destinations"] as const).flatMap(base => [
    {pattern: base, load: () => import("./pages/actors.tsx")},
    {pattern: `${base}/new`, load: () => import("./pages/catalogue.tsx")},
    {pattern: `${base}/new/:definitionId`, load: () => import("./pages/new-actor.tsx")},
    {pattern: `${base}/:actorId`, load: () => import("./pages/actor.tsx")},
  ]),
  {pattern: "/settings/workspace", load: () => import("./pages/settings-workspace.tsx")},
  {pattern: "/settings/connectors", load: () => import("./pages/settings-connectors.tsx")},
  {pattern: "/settings/members", load: () => import("./pages/settings-members.tsx")},
  {pattern: "/settings/applications", load: () => import("./pages/settings-applications.tsx")},
  {pattern: "/settings/host", load: () => import("./pages/settings-host.tsx")},
  {pattern: "/settings/account", load: () => import("./pages/settings-account.tsx")},
  {pattern: "/jobs/:jobId", load: () => import("./pages/job.tsx")},
];

const loaded = new Map<string, Page>();

function Missing(): JSX.Element {
  return <><Heading title={_("Not found")}>{_("There is nothing here")}</Heading>
    <Empty icon="search" title={_("This address leads nowhere")}><p><a href="/connections">{_("To the connections")}</a></p></Empty></>;
}

function Routed(): JSX.Element | null {
  const {path} = useLocation();
  const [failed, setFailed] = useState<string | null>(null);
  const [, again] = useState(0);
  const route = ROUTES.find(each => match(each.pattern, path) !== null);
  const Found = route && loaded.get(route.pattern);
  useEffect(() => {
    window.scrollTo(0, 0);
    if (!route || loaded.has(route.pattern)) return;
    route.load().then(module => {
      loaded.set(route.pattern, module.default as Page);
      again(n => n + 1);
    }, error => setFailed(String(error)));
  }, [route?.pattern]);
  if (!route) return <Missing/>;
  if (failed !== null) return <Notice tone="bad">{_("This part of the page could not be loaded; probably Sluice was upgraded.")} <a href="" onClick={() => window.location.reload()}>{_("Reload")}</a></Notice>;
  return Found ? <Found {...match(route.pattern, path) ?? {}}/> : null;
}

function App(): JSX.Element | null {
  const now = useCell(session);
  const {path, query} = useLocation();
  const inside = now.state === "in" || now.state === "ended";
  useEffect(() => {
    if (now.state === "in") startEvents();
    else stopEvents();
    if (now.state === "out") forgetAnswers();
  }, [now.state]);
  useEffect(() => {
    if (inside && (path === "/" || path === "/login")) navigate(afterLogin(query.get("next")), {replace: true});
    if (now.state === "out" && path !== "/login" && path !== "/setup")
      navigate(path === "/" ? "/login" : `/login?next=${encodeURIComponent(path + window.location.search)}`, {replace: true});
  }, [now.state, path]);
  if (path === "/setup") return <SetupPage/>;
  if (now.state === "starting") return null;
  if (now.state === "unreachable") return <UnreachablePage error={now.error}/>;
  if (now.state === "out") return path === "/login" ? <LoginPage/> : null;
  return <>
    <Shell user={now.user}>{path === "/" || path === "/login" ? null : <Routed/>}</Shell>
    {now.state === "ended" && <LoginAgain user={now.user}/>}
  </>;
}

async function start(): Promise<void> {
  startPreferences();
  startRouter();
  await Promise.all([loadLanguage(preferredLanguage()), startSession()]);
  const root = document.getElementById("app");
  if (root) render(<><App/><Toasts/></>, root);
}

void start();
