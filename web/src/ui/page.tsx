// SPDX-License-Identifier: Apache-2.0
// Parts of whole pages: the head with its tabs, what stands there until an answer comes.
import type {ComponentChildren, JSX} from "preact";
import {useEffect, useRef} from "preact/hooks";
import type {ApiError} from "../lib/api.ts";
import {_} from "../lib/i18n.ts";
import {Notice} from "./controls.tsx";

export interface Tab {
  href: string;
  text: string;
}

export function Tabs({tabs, path, label}: { tabs: readonly Tab[]; path: string; label: string }): JSX.Element {
  const nav = useRef<HTMLElement>(null);
  // On a narrow screen the place where one is may be beyond the edge.
  useEffect(() => { nav.current?.querySelector("[aria-current]")?.scrollIntoView({block: "nearest", inline: "nearest"}); }, [path]);
  return <nav ref={nav} class="tabs" aria-label={label}>
    {tabs.map(tab => <a key={tab.href} href={tab.href} aria-current={path === tab.href ? "page" : undefined}>{tab.text}</a>)}
  </nav>;
}

export function Waiting({lines = 5}: { lines?: number }): JSX.Element {
  return <div class="card card-body stack" aria-busy="true" role="status">
    <span class="said">{_("Loading")}</span>
    {[70, 55, 80, 60, 75].slice(0, lines).map(width => <div key={width} class="skeleton" style={{inlineSize: `${width}%`}}/>)}
  </div>;
}

/** An answer, or what there is instead of it. */
export function Loaded<T>({answer, children}: { answer: { data: T | undefined; error: ApiError | null }; children: (data: T) => ComponentChildren }): JSX.Element {
  return <>
    {answer.error && <Notice tone="bad">{answer.error.message}</Notice>}
    {answer.data !== undefined ? children(answer.data) : answer.error ? null : <Waiting/>}
  </>;
}

export function Facts({facts}: { facts: readonly (readonly [string, ComponentChildren] | null)[] }): JSX.Element {
  return <dl class="facts">{facts.map(fact => fact && <div key={fact[0]}><dt>{fact[0]}</dt><dd>{fact[1]}</dd></div>)}</dl>;
}
