// SPDX-License-Identifier: Apache-2.0
// The streams to choose from, with their fields: searched, taken and set one by one or all that are shown. Rows that are not on the
// screen are not in the document.
import type {JSX} from "preact";
import {useMemo, useRef, useState} from "preact/hooks";
import {change, commonFields, fieldsOf, filterChoices, isHeld, modeId, modeOf, needsCursor, needsKey, rowsOf, setCursor, setField, setMode, setModeAndCursor, setTaken,
  toggleKey, tri, troubleOf, type Choice, type Row, type Show} from "../lib/catalog.ts";
import {_, fmt, ngettext} from "../lib/i18n.ts";
import {modeText} from "../lib/modes.ts";
import {Button, Empty} from "./controls.tsx";
import {Icon} from "./icons.tsx";
import {useWindow} from "./window.ts";

const COLUMNS = 5;
const FIELDS_OFFERED = 300;

interface Actions {
  apply: (choices: readonly Choice[], how: (choice: Choice) => Choice) => void;
  toggle: (key: string, kind: "open" | "closed") => void;
}

/** A box that knows a third state, which has no attribute. */
function Tri({state, label, onChange, disabled = false}: { state: "true" | "false" | "mixed"; label: string; onChange: (on: boolean) => void; disabled?: boolean }): JSX.Element {
  return <input type="checkbox" class="box" aria-label={label} checked={state === "true"} indeterminate={state === "mixed"} disabled={disabled}
    onChange={event => onChange(event.currentTarget.checked)}/>;
}

function Expander({open, label, onClick}: { open: boolean; label: string; onClick: () => void }): JSX.Element {
  return <button type="button" class="expander" aria-expanded={open} aria-label={label} onClick={onClick}><Icon name="down"/></button>;
}

function NamespaceRow({row, closed, actions}: { row: Row & { kind: "namespace" }; closed: boolean; actions: Actions }): JSX.Element {
  const name = row.namespace === "" ? _("Without a namespace") : row.namespace;
  const taken = row.choices.filter(choice => choice.taken).length;
  return <>
    <th scope="row" colSpan={COLUMNS}><span class="cell">
      <Expander open={!closed} label={fmt(_("Streams of $0"), name)} onClick={() => actions.toggle(row.namespace, "closed")}/>
      <Tri state={tri(row.choices)} label={fmt(_("Take all of $0"), name)} onChange={on => actions.apply(row.choices, setTaken(on))}/>
      <strong class="clip" title={name}>{name}</strong><span class="small muted number">{fmt(_("$0 of $1"), taken, row.choices.length)}</span>
    </span></th>
  </>;
}

function Chosen({needed, own, text, label, onClick}: { needed: boolean; own: boolean; text: string; label: string; onClick: () => void }): JSX.Element {
  if (own) return <span class="small muted clip" title={text}>{text !== "" ? text : _("By the source")}</span>;
  if (!needed && text === "") return <span class="muted">–</span>;
  return <button type="button" class={`link clip${needed && text === "" ? " wanted" : ""}`} aria-label={`${label}: ${text || _("Choose")}`} title={text} onClick={onClick}>
    {text !== "" ? text : <><Icon name="warn" size={14}/>{_("Choose")}</>}</button>;
}

function StreamRow({row, open, actions}: { row: Row & { kind: "stream" }; open: boolean; actions: Actions }): JSX.Element {
  const {choice} = row, {facts} = choice;
  const all = fieldsOf(facts).length, taken = choice.fields?.size ?? all;
  const one = [choice], toggle = () => actions.toggle(facts.key, "open");
  return <>
    <th scope="row"><span class={`cell${row.deep ? " deep" : ""}`}>
      <Expander open={open} label={fmt(_("Fields of $0"), facts.name)} onClick={toggle}/>
      <Tri state={choice.taken ? "true" : "false"} label={fmt(_("Take $0"), facts.name)} onChange={on => actions.apply(one, setTaken(on))}/>
      <span class="clip" title={facts.name}>{facts.name}</span></span></th>
    <td class="mode">{facts.modes.length === 0 ? <span class="small wanted">{_("The destination cannot take it")}</span>
      : <select class="input slim" aria-label={fmt(_("Mode of $0"), facts.name)} value={modeId(choice.mode)} disabled={!choice.taken}
        onChange={event => { const mode = modeOf(event.currentTarget.value); if (mode) actions.apply(one, setMode(mode)); }}>
        {facts.modes.map(mode => <option key={modeId(mode)} value={modeId(mode)}>{modeText(mode.source, mode.destination)}</option>)}
      </select>}</td>
    <td class="cursor">{choice.taken && choice.mode.source === "incremental" ? <Chosen needed={needsCursor(choice)} own={facts.ownCursor} text={choice.cursor.join(".")}
      label={fmt(_("Cursor of $0"), facts.name)} onClick={toggle}/> : <span class="muted">–</span>}</td>
    <td class="key">{choice.taken ? <Chosen needed={needsKey(choice)} own={facts.ownKey} text={choice.primaryKey.map(path => path.join(".")).join(", ")}
      label={fmt(_("Primary key of $0"), facts.name)} onClick={toggle}/> : <span class="muted">–</span>}</td>
    <td class="fields small muted number">{taken === all ? fmt(_("all $0"), all) : fmt(_("$0 of $1"), taken, all)}</td>
  </>;
}

function FieldRow({row, actions}: { row: Row & { kind: "field" }; actions: Actions }): JSX.Element {
  const {choice, field} = row, {facts} = choice, one = [choice];
  const taken = choice.fields?.has(field.name) ?? true, held = isHeld(choice, field.name);
  const isCursor = choice.mode.source === "incremental" && choice.cursor[0] === field.name, isKey = choice.primaryKey.some(path => path[0] === field.name);
  return <>
    <th scope="row"><span class="cell of-field">
      <Tri state={taken ? "true" : "false"} disabled={!choice.taken || held} label={fmt(_("Take field $0 of $1"), field.name, facts.name)}
        onChange={on => actions.apply(one, setField(field.name, on))}/>
      <span class="clip mono" title={field.name}>{field.name}</span></span></th>
    <td class="mode small muted clip">{field.type}</td>
    <td class="cursor">{choice.mode.source === "incremental" && !facts.ownCursor
      ? <label class="check small"><input type="radio" class="box" name={`cursor-${facts.key}`} checked={isCursor} disabled={!choice.taken}
        aria-label={fmt(_("$0 is the cursor of $1"), field.name, facts.name)} onChange={() => actions.apply(one, setCursor(field.name))}/>{_("cursor")}</label>
      : isCursor ? <span class="small muted">{_("cursor")}</span> : null}</td>
    <td class="key">{!facts.ownKey
      ? <label class="check small"><input type="checkbox" class="box" checked={isKey} disabled={!choice.taken}
        aria-label={fmt(_("$0 is of the primary key of $1"), field.name, facts.name)} onChange={() => actions.apply(one, toggleKey(field.name))}/>{_("key")}</label>
      : isKey ? <span class="small muted">{_("key")}</span> : null}</td>
    <td class="fields"/>
  </>;
}

/** One action for everything that is shown: the way to choose among hundreds. */
function Bulk({shown, total, actions, onSaid}: { shown: Choice[]; total: number; actions: Actions; onSaid: (text: string) => void }): JSX.Element {
  const [mode, setMode_] = useState("");
  const [cursor, setCursor_] = useState("");
  const modes = useMemo(() => [...new Set(shown.flatMap(choice => choice.facts.modes))], [shown]);
  const incremental = modeOf(mode)?.source === "incremental";
  const fields = useMemo(() => incremental ? commonFields(shown, FIELDS_OFFERED) : [], [incremental, shown]);

  function set(): void {
    const chosen = modeOf(mode);
    if (chosen === undefined) return;
    const able = shown.filter(choice => choice.facts.modes.some(each => modeId(each) === mode)).length;
    actions.apply(shown, setModeAndCursor(chosen, cursor.trim()));
    onSaid(able === shown.length ? ngettext("$0 stream is set.", "$0 streams are set.", able, able)
      : fmt(_("$0 streams are set; $1 cannot do this and stay as they were."), able, shown.length - able));
  }

  return <div class="bulk" role="group" aria-label={_("For all that are shown")}>
    <span class="small muted">{shown.length === total ? _("For all streams:") : ngettext("For the $0 stream shown:", "For the $0 streams shown:", shown.length, shown.length)}</span>
    <Button kind="quiet" onClick={() => { actions.apply(shown, setTaken(true)); onSaid(ngettext("$0 stream is taken.", "$0 streams are taken.", shown.length, shown.length)); }}>{_("Take")}</Button>
    <Button kind="quiet" onClick={() => { actions.apply(shown, setTaken(false)); onSaid(ngettext("$0 stream is left out.", "$0 streams are left out.", shown.length, shown.length)); }}>{_("Leave out")}</Button>
    <select class="input slim narrow" aria-label={_("Mode for all that are shown")} value={mode} onChange={event => setMode_(event.currentTarget.value)}>
      <option value="">{_("Mode…")}</option>
      {modes.map(each => <option key={modeId(each)} value={modeId(each)}>{modeText(each.source, each.destination)}</option>)}
    </select>
    {incremental && <><input class="input slim narrow" aria-label={_("Cursor for all that are shown")} placeholder={_("Cursor field")} list="bulk-cursors" value={cursor} autocomplete="off"
      onInput={event => setCursor_(event.currentTarget.value)}/><datalist id="bulk-cursors">{fields.map(name => <option key={name} value={name}/>)}</datalist></>}
    {mode !== "" && <Button onClick={set}>{_("Set")}</Button>}
  </div>;
}

const SHOWN: readonly { show: Show; text: () => string }[] = [
  {show: "all", text: () => _("All")}, {show: "taken", text: () => _("Taken")}, {show: "left", text: () => _("Left out")}, {show: "wrong", text: () => _("To be completed")},
];

function Rows({rows, open, closed, actions}: { rows: Row[]; open: ReadonlySet<string>; closed: ReadonlySet<string>; actions: Actions }): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const {body, range, height} = useWindow(rows.length, box);
  return <div class="stream-box" ref={box} tabIndex={0} role="region" aria-label={_("Streams")}><table class="streams" aria-rowcount={rows.length + 1}>
    <colgroup><col class="name"/><col class="mode"/><col class="cursor"/><col class="key"/><col class="fields"/></colgroup>
    <thead><tr aria-rowindex={1}><th scope="col">{_("Stream")}</th><th scope="col">{_("Mode")}</th><th scope="col">{_("Cursor")}</th><th scope="col">{_("Primary key")}</th>
      <th scope="col">{_("Fields")}</th></tr></thead>
    <tbody ref={body}>
      {range.first > 0 && <tr class="spacer" aria-hidden="true" style={{blockSize: `${range.first * height}px`}}><td colSpan={COLUMNS}/></tr>}
      {rows.slice(range.first, range.end).map((row, index) => {
        const key = row.kind === "namespace" ? "n" + row.namespace : row.kind === "stream" ? row.choice.facts.key : `${row.choice.facts.key}\u001f${row.field.name}`;
        return <tr key={key} class={row.kind === "stream" && !row.choice.taken ? "row-left" : `row-${row.kind}`} aria-rowindex={range.first + index + 2}>
          {row.kind === "namespace" ? <NamespaceRow row={row} closed={closed.has(row.namespace)} actions={actions}/>
            : row.kind === "stream" ? <StreamRow row={row} open={open.has(row.choice.facts.key)} actions={actions}/> : <FieldRow row={row} actions={actions}/>}
        </tr>;
      })}
      {range.end < rows.length && <tr class="spacer" aria-hidden="true" style={{blockSize: `${(rows.length - range.end) * height}px`}}><td colSpan={COLUMNS}/></tr>}
    </tbody>
  </table></div>;
}

function toggled(set: ReadonlySet<string>, key: string): ReadonlySet<string> {
  const next = new Set(set);
  if (!next.delete(key)) next.add(key);
  return next;
}

export function StreamTable({choices, onChange}: { choices: Choice[]; onChange: (choices: Choice[]) => void }): JSX.Element {
  const [term, setTerm] = useState("");
  const [show, setShow] = useState<Show>("all");
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const [said, say] = useState("");
  const searched = useMemo(() => filterChoices(choices, term, "all"), [choices, term]);
  const shown = useMemo(() => filterChoices(searched, "", show), [searched, show]);
  const rows = useMemo(() => rowsOf(shown, closed, open), [shown, closed, open]);
  const actions: Actions = {
    apply: (which, how) => onChange(change(choices, new Set(which.map(choice => choice.facts.key)), how).choices),
    toggle: (key, kind) => kind === "open" ? setOpen(toggled(open, key)) : setClosed(toggled(closed, key)),
  };
  const counts: Record<Show, number> = {all: searched.length, taken: searched.filter(choice => choice.taken).length, left: searched.filter(choice => !choice.taken).length,
    wrong: searched.filter(choice => troubleOf(choice) !== null).length};
  return <section class="card stream-card" aria-label={_("Streams to choose from")}>
    <div class="stream-tools">
      <div class="input-icon"><Icon name="search"/><input class="input" type="search" aria-label={_("Search streams")} placeholder={_("Search; -word leaves out, * is anything")} value={term}
        onInput={event => setTerm(event.currentTarget.value)}/></div>
      <div class="chips" role="group" aria-label={_("Show")}>{SHOWN.filter(each => each.show !== "wrong" || counts.wrong > 0 || show === "wrong").map(each =>
        <button key={each.show} type="button" class={`chip${each.show === "wrong" ? " wanted" : ""}`} aria-pressed={show === each.show} onClick={() => setShow(each.show)}>{each.text()}{" "}
          <span class="number">{new Intl.NumberFormat().format(counts[each.show])}</span></button>)}</div>
      {shown.length > 1 && <Bulk shown={shown} total={choices.length} actions={actions} onSaid={say}/>}
      <p class="said" role="status">{said}</p>
    </div>
    {rows.length > 0 ? <Rows rows={rows} open={open} closed={closed} actions={actions}/>
      : <Empty icon="search" title={choices.length === 0 ? _("The source has no streams") : _("No stream is like that")}/>}
  </section>;
}
