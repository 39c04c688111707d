// SPDX-License-Identifier: Apache-2.0
// The streams of a source as a person chooses among them: what is taken, how, and what is wrong with it. Pure, and quick with
// thousands of streams: what is not changed is the same object.
import type {Json, JsonObject} from "./api.ts";
import {isObject, textOf} from "./streams.ts";

export interface FieldInfo {
  name: string;
  type: string;
}

export type SourceMode = "full_refresh" | "incremental";
export type DestinationMode = "overwrite" | "append" | "append_dedup" | "overwrite_dedup";

export interface Mode {
  source: SourceMode;
  destination: DestinationMode;
}

/** What the source says of a stream; the same object for as long as the page is open. */
export interface StreamFacts {
  key: string;
  name: string;
  namespace: string;
  modes: readonly Mode[];
  /** The source itself says what is new, and which is which: not for a person to choose. */
  ownCursor: boolean;
  ownKey: boolean;
  stream: JsonObject;
}

export interface Choice {
  facts: StreamFacts;
  taken: boolean;
  mode: Mode;
  cursor: readonly string[];
  primaryKey: readonly (readonly string[])[];
  /** null: all, and those that come later too. */
  fields: ReadonlySet<string> | null;
  /** As it came: what is not chosen here stays. */
  config: JsonObject;
}

/** The safest first: nothing that is there is lost by the first of what both sides can do. */
const MODES: readonly Mode[] = [
  {source: "incremental", destination: "append_dedup"}, {source: "incremental", destination: "append"},
  {source: "full_refresh", destination: "overwrite"}, {source: "full_refresh", destination: "append"},
  {source: "full_refresh", destination: "overwrite_dedup"},
];

export const modeId = (mode: Mode): string => `${mode.source} ${mode.destination}`;
export const modeOf = (id: string): Mode | undefined => MODES.find(mode => modeId(mode) === id);

export const needsCursor = (choice: Choice): boolean => choice.mode.source === "incremental" && !choice.facts.ownCursor;
export const needsKey = (choice: Choice): boolean => choice.mode.destination.endsWith("_dedup") && !choice.facts.ownKey;

const texts = (value: Json | undefined): string[] => Array.isArray(value) ? value.filter(each => typeof each === "string") : [];
const paths = (value: Json | undefined): string[][] => Array.isArray(value) ? value.map(texts).filter(path => path.length > 0) : [];

function typeOf(schema: Json | undefined): string {
  if (!isObject(schema)) return "";
  const format = textOf(schema["format"]);
  if (format !== "") return format;
  const types = (Array.isArray(schema["type"]) ? texts(schema["type"]) : [textOf(schema["type"])]).filter(type => type !== "null" && type !== "");
  return types.join(", ");
}

const known = new WeakMap<StreamFacts, readonly FieldInfo[]>();

/** In the order of the source. */
export function fieldsOf(facts: StreamFacts): readonly FieldInfo[] {
  let fields = known.get(facts);
  if (fields === undefined) {
    const schema = facts.stream["jsonSchema"];
    const properties = isObject(schema) && isObject(schema["properties"]) ? schema["properties"] : {};
    fields = Object.entries(properties).map(([name, value]) => ({name, type: typeOf(value)}));
    known.set(facts, fields);
  }
  return fields;
}

function factsOf(stream: JsonObject, destinationModes: readonly string[]): StreamFacts {
  const supported = texts(stream["supportedSyncModes"]), own = paths(stream["sourceDefinedPrimaryKey"]).length > 0;
  const namespace = textOf(stream["namespace"]), name = textOf(stream["name"]);
  const modes = MODES.filter(mode => supported.includes(mode.source) && (destinationModes.length === 0 || destinationModes.includes(mode.destination)));
  return {key: namespace + "\u001f" + name, name, namespace, stream, modes, ownCursor: stream["sourceDefinedCursor"] === true, ownKey: own};
}

/** As configured, else the best for which nothing is missing. */
function chooseMode(facts: StreamFacts, config: JsonObject): Mode {
  const wanted = modeOf(`${textOf(config["syncMode"])} ${textOf(config["destinationSyncMode"])}`);
  if (wanted !== undefined && (facts.modes.length === 0 || facts.modes.some(mode => modeId(mode) === modeId(wanted)))) return wanted;
  const ready = facts.modes.find(mode => (mode.source === "full_refresh" || facts.ownCursor) && (!mode.destination.endsWith("_dedup") || facts.ownKey));
  return ready ?? facts.modes[0] ?? wanted ?? {source: "full_refresh", destination: "append"};
}

function choiceOf(stream: JsonObject, config: JsonObject, destinationModes: readonly string[]): Choice {
  const facts = factsOf(stream, destinationModes);
  const fields = config["fieldSelectionEnabled"] === true && Array.isArray(config["selectedFields"])
    ? new Set(config["selectedFields"].flatMap(each => isObject(each) ? texts(each["fieldPath"]).slice(0, 1) : [])) : null;
  const key = paths(config["primaryKey"]);
  return {facts, taken: config["selected"] !== false, mode: chooseMode(facts, config), cursor: texts(config["cursorField"]),
    primaryKey: key.length > 0 ? key : paths(stream["sourceDefinedPrimaryKey"]), fields, config};
}

/** `catalog`: {streams: [{stream, config}]}. By namespace and name, as a person looks for them. */
export function readCatalog(catalog: JsonObject | undefined, destinationModes: readonly string[]): Choice[] {
  const rows = Array.isArray(catalog?.["streams"]) ? catalog["streams"] : [];
  const choices = rows.flatMap(row => isObject(row) && isObject(row["stream"]) ? [choiceOf(row["stream"], isObject(row["config"]) ? row["config"] : {}, destinationModes)] : []);
  const {compare} = new Intl.Collator(undefined, {numeric: true});
  return choices.sort((a, b) => compare(a.facts.namespace, b.facts.namespace) || compare(a.facts.name, b.facts.name));
}

/** Of a source that suggests nothing everything is taken: leaving out is one key, and nothing is forgotten. */
export function takeSuggested(choices: readonly Choice[]): Choice[] {
  return choices.some(choice => choice.taken) ? [...choices] : choices.map(choice => ({...choice, taken: true}));
}

/** The catalog to send: what is taken, and nothing else. */
export function writeCatalog(choices: readonly Choice[]): JsonObject {
  return {streams: choices.filter(choice => choice.taken).map(choice => ({
    stream: choice.facts.stream,
    config: {...choice.config, selected: true, syncMode: choice.mode.source, destinationSyncMode: choice.mode.destination,
      cursorField: choice.mode.source === "incremental" ? [...choice.cursor] : [], primaryKey: choice.primaryKey.map(path => [...path]),
      fieldSelectionEnabled: choice.fields !== null,
      selectedFields: choice.fields === null ? [] : [...choice.fields].map(name => ({fieldPath: [name]}))},
  }))};
}

export type Trouble = "cursor" | "key" | "mode";

/** A source may have lost a field. One without any known field is believed. */
function hasField(facts: StreamFacts, name: string | undefined): boolean {
  const fields = fieldsOf(facts);
  return name !== undefined && (fields.length === 0 || fields.some(field => field.name === name));
}

/** What keeps a taken stream from being synced. */
export function troubleOf(choice: Choice): Trouble | null {
  if (!choice.taken) return null;
  if (choice.facts.modes.length === 0) return "mode";
  if (needsCursor(choice) && !hasField(choice.facts, choice.cursor[0])) return "cursor";
  return needsKey(choice) && !(choice.primaryKey.length > 0 && choice.primaryKey.every(path => hasField(choice.facts, path[0]))) ? "key" : null;
}

/** Fields that cannot be left out: the run goes by them. */
export function isHeld(choice: Choice, field: string): boolean {
  return (choice.mode.source === "incremental" && choice.cursor[0] === field) || choice.primaryKey.some(path => path[0] === field);
}

// --- changes -------------------------------------------------------------------------------------

/** What the run goes by is among the fields. */
function withHeld(choice: Choice): Choice {
  if (choice.fields === null) return choice;
  const missing = [choice.cursor[0], ...choice.primaryKey.map(path => path[0])].filter(name => name !== undefined && isHeld(choice, name) && !choice.fields?.has(name)) as string[];
  return missing.length === 0 ? choice : {...choice, fields: new Set([...choice.fields, ...missing])};
}

export const setTaken = (taken: boolean) => (choice: Choice): Choice => choice.taken === taken ? choice : {...choice, taken};

export const setCursor = (name: string) => (choice: Choice): Choice => choice.facts.ownCursor ? choice : withHeld({...choice, cursor: [name]});

/** Not of streams that cannot do it. A cursor is kept, else the source's default one is taken. */
export const setMode = (mode: Mode) => (choice: Choice): Choice => {
  const found = choice.facts.modes.find(each => modeId(each) === modeId(mode));
  if (found === undefined || modeId(choice.mode) === modeId(mode)) return choice;
  return withHeld({...choice, mode: found, cursor: choice.cursor.length > 0 ? choice.cursor : texts(choice.facts.stream["defaultCursorField"])});
};

export const toggleKey = (name: string) => (choice: Choice): Choice => {
  if (choice.facts.ownKey) return choice;
  const rest = choice.primaryKey.filter(path => path.length !== 1 || path[0] !== name);
  return withHeld({...choice, primaryKey: rest.length < choice.primaryKey.length ? rest : [...choice.primaryKey, [name]]});
};

export const setField = (name: string, taken: boolean) => (choice: Choice): Choice => {
  if (!taken && isHeld(choice, name)) return choice;
  const all = fieldsOf(choice.facts).map(field => field.name);
  const now = new Set(choice.fields ?? all);
  if (taken) now.add(name);
  else now.delete(name);
  if (now.size === 0) return choice; // a stream without fields is one that is not taken
  return {...choice, fields: all.every(each => now.has(each)) ? null : now};
};

/** Mode, and the cursor where a person has to choose one and the stream has such a field. */
export const setModeAndCursor = (mode: Mode, cursor: string) => (choice: Choice): Choice => {
  const changed = setMode(mode)(choice);
  const has = cursor !== "" && mode.source === "incremental" && fieldsOf(choice.facts).some(field => field.name === cursor);
  return has && modeId(changed.mode) === modeId(mode) && changed.cursor[0] !== cursor ? setCursor(cursor)(changed) : changed;
};

/** Those whose keys are in `keys` anew; `changed` counts those that are other than before. */
export function change(choices: readonly Choice[], keys: ReadonlySet<string>, how: (choice: Choice) => Choice): { choices: Choice[]; changed: number } {
  let changed = 0;
  const next = choices.map(choice => {
    if (!keys.has(choice.facts.key)) return choice;
    const made = how(choice);
    if (made !== choice) changed++;
    return made;
  });
  return {choices: next, changed};
}

// --- looking for -----------------------------------------------------------------------------------

export type Show = "all" | "taken" | "left" | "wrong";

const haystacks = new WeakMap<StreamFacts, string>();

function haystack(facts: StreamFacts): string {
  let found = haystacks.get(facts);
  if (found === undefined) {
    found = `${facts.namespace}.${facts.name}`.toLowerCase();
    haystacks.set(facts, found);
  }
  return found;
}

type Test = (text: string) => boolean;

/** "shop.ord*" is a pattern of the whole name or of its last part, anything else is a part of it; "-audit" is not that. */
function testOf(word: string): Test {
  if (word.startsWith("-") && word.length > 1) {
    const not = testOf(word.slice(1));
    return text => !not(text);
  }
  if (!word.includes("*")) return text => text.includes(word);
  const pattern = new RegExp("(^|\\.)" + word.split("*").map(part => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&")).join(".*") + "$");
  return text => pattern.test(text);
}

export function filterChoices(choices: readonly Choice[], term: string, show: Show): Choice[] {
  const tests = term.toLowerCase().split(/\s+/).filter(word => word !== "").map(testOf);
  return choices.filter(choice => {
    if (show === "taken" ? !choice.taken : show === "left" ? choice.taken : show === "wrong" ? troubleOf(choice) === null : false) return false;
    return tests.every(test => test(haystack(choice.facts)));
  });
}

/** Fields that the streams have, those of most streams first: what one chooses a cursor from. */
export function commonFields(choices: readonly Choice[], most: number): string[] {
  const counts = new Map<string, number>();
  for (const choice of choices)
    for (const {name} of fieldsOf(choice.facts)) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]).slice(0, most).map(([name]) => name);
}

// --- rows of the table ----------------------------------------------------------------------------

export type Row =
  | { kind: "namespace"; namespace: string; choices: Choice[] }
  | { kind: "stream"; choice: Choice; deep: boolean }
  | { kind: "field"; choice: Choice; field: FieldInfo; last: boolean };

/** One after the other: a namespace, its streams, the fields of those that are open. Without namespaces there is no such row. */
export function rowsOf(choices: readonly Choice[], closed: ReadonlySet<string>, open: ReadonlySet<string>): Row[] {
  const groups = new Map<string, Choice[]>();
  for (const choice of choices) {
    const group = groups.get(choice.facts.namespace);
    if (group) group.push(choice);
    else groups.set(choice.facts.namespace, [choice]);
  }
  const deep = groups.size > 1 || (groups.size === 1 && !groups.has(""));
  const rows: Row[] = [];
  for (const [namespace, members] of groups) {
    if (deep) rows.push({kind: "namespace", namespace, choices: members});
    if (deep && closed.has(namespace)) continue;
    for (const choice of members) {
      rows.push({kind: "stream", choice, deep});
      if (!open.has(choice.facts.key)) continue;
      const fields = fieldsOf(choice.facts);
      fields.forEach((field, index) => rows.push({kind: "field", choice, field, last: index === fields.length - 1}));
    }
  }
  return rows;
}

/** Of a group: all, none, or some. */
export function tri(choices: readonly Choice[]): "true" | "false" | "mixed" {
  const taken = choices.filter(choice => choice.taken).length;
  return taken === 0 ? "false" : taken === choices.length ? "true" : "mixed";
}
