// SPDX-License-Identifier: Apache-2.0
// Why a connector said no, with the end of its log for who wants to know more.
import type {ComponentChildren, JSX} from "preact";
import {useState} from "preact/hooks";
import * as api from "#gen/api.ts";
import {ApiError, call} from "../lib/api.ts";
import {Refused} from "../lib/commands.ts";
import {_} from "../lib/i18n.ts";
import {parseLine, type LogEntry} from "../lib/log-line.ts";
import {Notice} from "./controls.tsx";
import {LogLines} from "./log.tsx";

const LINES = 200;

function Log({jobId}: { jobId: number }): JSX.Element {
  const [lines, set] = useState<LogEntry[] | string | null>(null);

  async function load(): Promise<void> {
    try {
      const found = await call(api.attemptLogSearch, {jobId, attemptNumber: 0, limit: LINES, before: -1});
      set(found.lines.map(line => parseLine(line.offset, line.text)).sort((a, b) => a.offset - b.offset));
    } catch (error) {
      set(error instanceof ApiError ? error.message : String(error));
    }
  }

  return <details onToggle={event => { if (event.currentTarget.open && lines === null) void load(); }}>
    <summary>{_("The log of this test")}</summary>
    {typeof lines === "string" ? <p class="small">{lines}</p> : lines === null ? null : lines.length === 0 ? <p class="small muted">{_("It is empty.")}</p>
      : <div class="log-box around" tabIndex={0} role="region" aria-label={_("The log of this test")}><LogLines lines={lines}/></div>}
  </details>;
}

export function Refusal({error, children}: { error: Error; children?: ComponentChildren }): JSX.Element {
  const trace = error instanceof Refused ? [error.failure.detail, error.failure.trace].filter(text => text !== "").join("\n\n") : "";
  return <Notice tone="bad"><div class="stack-small">
    <p class="failure-text">{error.message}</p>
    {trace !== "" && <details><summary>{_("Details for who looks after the connector")}</summary><pre class="trace" tabIndex={0}>{trace}</pre></details>}
    {error instanceof Refused && error.jobId !== null && <Log jobId={error.jobId}/>}
    {children}
  </div></Notice>;
}
