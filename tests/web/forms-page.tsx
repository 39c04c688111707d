// SPDX-License-Identifier: Apache-2.0
// The form alone, for forms.test.mjs: sweep(schema) shows a specification's form and chooses each option of it once.
import {options, render} from "preact";
import {useState} from "preact/hooks";
import {idOf, SpecForm, Summary, type FormState} from "../../web/src/form/form.tsx";
import {isVisible, parseSpec, type Field, type Spec} from "../../web/src/form/spec.ts";
import {branchOf, getAt, initialValue, toSend, validate, type Path} from "../../web/src/form/values.ts";

options.debounceRendering = draw => draw(); // what was chosen is on the screen at once

let now: FormState = {value: {}, picked: {}};

function Page({spec}: { spec: Spec }) {
  const [state, setState] = useState<FormState>(() => ({value: (initialValue(spec.root) ?? {}) as FormState["value"], picked: {}}));
  const problems = validate(spec.root, state.value, [], state.picked);
  now = state;
  return <main><h1>Form</h1><Summary problems={problems}/><SpecForm spec={spec} state={state} problems={problems} onChange={setState}/></main>;
}

/** Ids of all controls that must be on the screen as the form is now. */
function wanted(fields: readonly Field[], path: Path): string[] {
  return fields.filter(isVisible).flatMap(field => {
    const here = [...path, field.name], value = getAt(now.value, here);
    if (field.kind === "object") return wanted(field.fields, here);
    if (field.kind === "choice") {
      const branch = field.branches[branchOf(field, value, here, now.picked)];
      return [...field.tiles ? [] : [idOf(here)], ...branch ? wanted(branch.fields, here) : []];
    }
    const items = field.kind === "list" && Array.isArray(value) ? value : [];
    return [idOf(here), ...items.flatMap((_item, index) => wanted(field.item?.fields ?? [], [...here, index]))];
  });
}

const all = <T extends Element>(selector: string): T[] => [...document.querySelectorAll<T>(selector)];

/** What is chosen around an element: one id has other options in another alternative. */
function around(element: Element): string {
  const outer: string[] = [];
  for (let box = element.parentElement?.closest(".inner"); box; box = box.parentElement?.closest(".inner")) {
    const choice = box.querySelector<HTMLSelectElement>(":scope > .field > select");
    const tile = box.querySelector<HTMLInputElement>(":scope > .tiles input:checked");
    if (choice && choice !== element) outer.push(`${choice.id}=${choice.value}`);
    if (tile && tile !== element) outer.push(`${tile.name}=${all("input[type=radio]").indexOf(tile)}`);
  }
  return outer.join(" ");
}

interface Step {
  key: string;
  take: () => void;
  /** True when it is chosen now. */
  taken: () => boolean;
}

function steps(): Step[] {
  const selects = all<HTMLSelectElement>("main select").flatMap(select => [...select.options].filter(option => option.value !== "").map((option): Step => ({
    key: `${around(select)} ${select.id}=${option.value}`,
    take: () => {
      if (select.multiple) option.selected = true;
      else select.value = option.value;
      select.dispatchEvent(new Event("change", {bubbles: true}));
    },
    taken: () => {
      const fresh = document.getElementById(select.id) as HTMLSelectElement | null;
      return fresh !== null && [...fresh.selectedOptions].some(each => each.value === option.value);
    },
  })));
  const tiles = all<HTMLInputElement>("main input[type=radio]").map((radio): Step => {
    const index = all<HTMLInputElement>(`input[name="${CSS.escape(radio.name)}"]`).indexOf(radio);
    return {key: `${around(radio)} ${radio.name}=${index}`, take: () => radio.click(), taken: () => all<HTMLInputElement>(`input[name="${CSS.escape(radio.name)}"]`)[index]?.checked === true};
  });
  const boxes = all<HTMLInputElement>("main input[type=checkbox]").map((box): Step => ({key: `${around(box)} ${box.id || box.name || box.closest("label")?.textContent}`,
    take: () => box.click(), taken: () => true}));
  const entries = all<HTMLFieldSetElement>("main fieldset[id]").filter(list => list.querySelector(":scope > .item") === null).flatMap(list => {
    const add = list.querySelector<HTMLButtonElement>(":scope > div:last-child > button");
    return add ? [{key: `${around(list)} ${list.id}+`, take: () => add.click(), taken: () => document.getElementById(list.id)?.querySelector(".item") !== null}] : [];
  });
  return [...boxes, ...selects, ...tiles, ...entries];
}

export interface Report {
  options: number;
  fields: number;
  wrong: string[];
}

function look(spec: Spec, where: string, wrong: string[]): number {
  const ids = new Set<string>();
  for (const {id} of all("main [id]")) {
    if (ids.has(id)) wrong.push(`${where}: two elements are called ${id}`);
    ids.add(id);
  }
  const needed = wanted(spec.root.fields, []);
  for (const id of needed) if (!ids.has(id)) wrong.push(`${where}: ${id} is not shown`);
  for (const problem of validate(spec.root, now.value, [], now.picked))
    if (!ids.has(idOf(problem.path))) wrong.push(`${where}: the problem with ${problem.path.join("/")} leads nowhere`);
  const sent = toSend(spec.root, now.value, [], now.picked);
  if (typeof sent !== "object" || sent === null || Array.isArray(sent)) wrong.push(`${where}: ${JSON.stringify(sent)} would be sent`);
  return needed.length;
}

function sweep(schema: Parameters<typeof parseSpec>[0]): Report {
  const spec = parseSpec(schema), seen = new Set<string>(), wrong: string[] = [];
  render(null, document.body);
  render(<Page spec={spec}/>, document.body);
  let fields = look(spec, "at first", wrong);
  for (let turns = 0; turns < 2000 && wrong.length < 5; turns++) {
    for (const fold of all<HTMLDetailsElement>("main details:not([open])")) fold.open = true;
    // The innermost first: what is around it stays as it is until all inside has been chosen.
    const next = steps().filter(step => !seen.has(step.key)).sort((a, b) => b.key.split(" ").length - a.key.split(" ").length)[0];
    if (next === undefined) return {options: seen.size, fields, wrong};
    seen.add(next.key);
    next.take();
    if (!next.taken()) wrong.push(`${next.key} was chosen and is not`);
    fields = Math.max(fields, look(spec, next.key, wrong));
  }
  return {options: seen.size, fields, wrong: wrong.length > 0 ? wrong : ["it does not end"]};
}

Object.assign(window, {sweep});
