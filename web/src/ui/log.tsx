// SPDX-License-Identifier: Apache-2.0
// The log of an attempt: its end first, older lines when one scrolls up, new ones as they are written, search on the server.
import type {JSX} from "preact";
import {useEffect, useLayoutEffect, useRef, useState} from "preact/hooks";
import * as api from "#gen/api.ts";
import {ApiError, call, makeRequest, type LogSearchRequest} from "../lib/api.ts";
import {_, locale, ngettext} from "../lib/i18n.ts";
import {parseLine, splitByTerm, type LogEntry} from "../lib/log-line.ts";
import {absolute} from "../lib/time.ts";
import {Button, Notice} from "./controls.tsx";
import {Icon} from "./icons.tsx";

const PAGE_LINES = 200;
/** So many stay in the document; the log itself may be of any size. */
const KEEP_LINES = 2000;

interface Filter {
  grep: string;
  level: string;
  source: string;
}

interface Place {
  jobId: number;
  attemptNumber: number;
}

interface View {
  lines: LogEntry[];
  /** Where to go on backwards; null: this is the beginning. */
  before: number | null;
  /** Behind the last line that was seen. */
  end: number;
}

function request(place: Place, filter: Filter): LogSearchRequest {
  return {...place, limit: PAGE_LINES, ignoreCase: true, ...(filter.grep !== "" && {grep: filter.grep}), ...(filter.level !== "" && {level: filter.level}),
    ...(filter.source !== "" && {source: filter.source})};
}

/** Pieces of a bounded size are searched by one request: a rare word may need several to be found. */
async function readBack(place: Place, filter: Filter, before: number, signal: AbortSignal): Promise<View> {
  let lines: LogEntry[] = [], next = before, end = 0;
  for (;;) {
    const found = await call(api.attemptLogSearch, {...request(place, filter), before: next}, {signal});
    const piece = found.lines.map(line => parseLine(line.offset, line.text)).sort((a, b) => a.offset - b.offset);
    lines = [...piece, ...lines];
    if (end === 0) end = found.size;
    next = found.nextOffset;
    if (found.done || next <= 0) return {lines, before: null, end};
    if (lines.length >= PAGE_LINES) return {lines, before: next, end};
  }
}

const clockTime = (ms: number): string =>
  new Intl.DateTimeFormat(locale(), {hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false}).format(ms);

export function LogLines({lines, term = "", marked}: { lines: readonly LogEntry[]; term?: string; marked?: number }): JSX.Element {
  return <ol class="log">{lines.map(line => <li key={line.offset} class={`${line.level}${line.offset === marked ? " marked" : ""}`}>
    <time title={line.time === null ? undefined : absolute(line.time)}>{line.time === null ? "" : clockTime(line.time)}</time>
    <span class="level">{line.level}</span><span class="from">{line.source.replace("replication-orchestrator", "run")}</span>
    <span class="text">{splitByTerm(line.message, term).map((part, index) => index % 2 === 1 ? <mark key={index}>{part}</mark> : part)}
      {line.stack !== "" && <details><summary>{_("Stack trace")}</summary>{line.stack}</details>}</span>
  </li>)}</ol>;
}

const DRAW_MS = 250;

/** Lines that are written from now on. A connector may write faster than a screen can show: they are drawn together, and of those
 * that would be gone from the view at once only the last ones are read at all. */
function useFollow(place: Place, filter: Filter, from: number | null, onLines: (lines: LogEntry[], end: number) => void): boolean {
  const [live, setLive] = useState(false);
  useEffect(() => {
    if (from === null) return undefined;
    const {limit: _limit, ...wanted} = request(place, filter);
    const source = new EventSource(makeRequest(api.attemptLogFollow, {...wanted, offset: from}).url);
    source.onopen = () => setLive(true);
    source.onerror = () => setLive(false);
    let waiting: { end: number; text: string }[] = [];
    let timer: ReturnType<typeof setTimeout> | null = null;
    const draw = () => {
      timer = null;
      const lines = waiting.slice(-KEEP_LINES).map(line => parseLine(line.end, line.text)), last = lines.at(-1);
      waiting = [];
      if (last) onLines(lines, last.offset);
    };
    source.onmessage = event => {
      if (waiting.length > 4 * KEEP_LINES) waiting = waiting.slice(-KEEP_LINES);
      waiting.push({end: Number(event.lastEventId), text: String(event.data)});
      timer ??= setTimeout(draw, DRAW_MS);
    };
    source.addEventListener("end", () => {
      source.close();
      setLive(false);
    });
    return () => {
      source.close();
      if (timer !== null) clearTimeout(timer);
    };
  }, [place.jobId, place.attemptNumber, filter.grep, filter.level, filter.source, from]);
  return live;
}

export function LogView({jobId, attemptNumber, follow}: Place & { follow: boolean }): JSX.Element {
  const [filter, setFilter] = useState<Filter>({grep: "", level: "", source: ""});
  const [typed, setTyped] = useState("");
  const [view, setView] = useState<View | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [stuck, setStuck] = useState(true); // to the end, until one scrolls up
  const [wrap, setWrap] = useState(true);
  const [from, setFrom] = useState<number | null>(null);
  const [older, setOlder] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const place = {jobId, attemptNumber};

  useEffect(() => {
    const timer = setTimeout(() => setFilter(now => now.grep === typed ? now : {...now, grep: typed}), 250);
    return () => clearTimeout(timer);
  }, [typed]);

  useEffect(() => {
    const abort = new AbortController();
    setView(null);
    setFrom(null);
    setError(null);
    readBack(place, filter, -1, abort.signal).then(found => {
      setView(found);
      if (follow) setFrom(found.end);
    }, caught => {
      if (!abort.signal.aborted) setError(caught instanceof ApiError ? caught.message : String(caught));
    });
    return () => abort.abort();
  }, [jobId, attemptNumber, filter, follow]);

  const live = useFollow(place, filter, from, (lines, end) => setView(now => now && {...now, lines: [...now.lines, ...lines].slice(-KEEP_LINES), end}));

  useLayoutEffect(() => {
    if (stuck && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [view, stuck]);

  async function readOlder(): Promise<void> {
    if (!view || view.before === null || older) return;
    setOlder(true);
    const height = box.current?.scrollHeight ?? 0;
    try {
      const found = await readBack(place, filter, view.before, new AbortController().signal);
      setView(now => now && {...now, lines: [...found.lines, ...now.lines], before: found.before});
      requestAnimationFrame(() => { if (box.current) box.current.scrollTop += box.current.scrollHeight - height; });
    } catch (caught) {
      setError(caught instanceof ApiError ? caught.message : String(caught));
    }
    setOlder(false);
  }

  function onScroll(): void {
    const now = box.current;
    if (now) setStuck(now.scrollHeight - now.scrollTop - now.clientHeight < 24);
  }

  const raw = makeRequest(api.attemptLogRaw, place).url;
  return <section class="card log-card" aria-labelledby="log-title">
    <div class="log-head">
      <h2 id="log-title">{_("Log")}</h2>
      <div class="input-icon grow"><Icon name="search"/><input class="input" type="search" value={typed} placeholder={_("Search the whole log")} aria-label={_("Search the log")}
        onInput={event => setTyped(event.currentTarget.value)}/></div>
      <select class="input narrow" aria-label={_("Level")} value={filter.level} onChange={event => setFilter({...filter, level: event.currentTarget.value})}>
        <option value="">{_("All levels")}</option><option value="warn">{_("Warnings and worse")}</option><option value="error">{_("Errors")}</option></select>
      <select class="input narrow" aria-label={_("Written by")} value={filter.source} onChange={event => setFilter({...filter, source: event.currentTarget.value})}>
        <option value="">{_("From everywhere")}</option><option value="source">{_("Source")}</option><option value="destination">{_("Destination")}</option>
        <option value="replication-orchestrator">{_("The run itself")}</option></select>
      <label class="check"><input type="checkbox" checked={wrap} onChange={event => setWrap(event.currentTarget.checked)}/>{_("Wrap")}</label>
      <a class="button" href={raw} download={`job-${jobId}-attempt-${attemptNumber}.ndjson`}><Icon name="destination"/>{_("Download")}</a>
    </div>
    {error !== null && <div class="log-note"><Notice tone="bad">{error}</Notice></div>}
    <div ref={box} class={`log-box${wrap ? "" : " straight"}`} tabIndex={0} role="log" aria-live="off" aria-label={_("Lines of the log")} onScroll={onScroll}>
      {view && view.before !== null && <div class="log-older"><Button kind="quiet" busy={older} onClick={() => void readOlder()}>{_("Older lines")}</Button></div>}
      {view && view.lines.length > 0 && <LogLines lines={view.lines} term={filter.grep}/>}
      {view && view.lines.length === 0 && <p class="muted log-older">{filter.grep + filter.level + filter.source === "" ? _("Nothing has been written yet.") : _("No line matches.")}</p>}
    </div>
    <div class="log-foot small muted" role="status">{view ? ngettext("$0 line is shown", "$0 lines are shown", view.lines.length, view.lines.length) : _("Loading")}
      {live && <span class="pill run"><Icon name="run" size={14} spin/>{_("Following")}</span>}
      {!stuck && <Button kind="quiet" icon="down" onClick={() => setStuck(true)}>{_("To the end")}</Button>}</div>
  </section>;
}

const AROUND = 10;

/** The lines around the first error: what a person would look for. */
export function FirstError({jobId, attemptNumber}: Place): JSX.Element | null {
  const [lines, setLines] = useState<LogEntry[]>([]);
  const [marked, setMarked] = useState(-1);
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const line = box.current?.querySelector<HTMLElement>(".marked");
    if (box.current && line) box.current.scrollTop = line.offsetTop - box.current.offsetTop - (box.current.clientHeight - line.clientHeight) / 2;
  }, [lines]);
  useEffect(() => {
    const abort = new AbortController();
    const place = {jobId, attemptNumber}, {signal} = abort;
    async function read(): Promise<void> {
      const first = (await call(api.attemptLogFirstError, place, {signal})).lines[0];
      if (first === undefined) return;
      const [back, on] = await Promise.all([call(api.attemptLogSearch, {...place, before: first.offset, limit: AROUND}, {signal}),
        call(api.attemptLogSearch, {...place, offset: first.offset, limit: AROUND}, {signal})]);
      setMarked(first.offset);
      setLines([...back.lines, ...on.lines].map(line => parseLine(line.offset, line.text)).sort((a, b) => a.offset - b.offset));
    }
    read().catch(() => undefined); // the log below says why it cannot be read
    return () => abort.abort();
  }, [jobId, attemptNumber]);
  return lines.length === 0 ? null : <div ref={box} class="log-box around" tabIndex={0} role="region" aria-label={_("Lines around the first error")}><LogLines lines={lines} marked={marked}/></div>;
}
