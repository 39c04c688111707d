// SPDX-License-Identifier: Apache-2.0
// What is in a form: how it begins, what is wrong with it, what is sent. Pure.
import type {Json, JsonObject} from "#gen/api.ts";
import {isObject, isVisible, type Branch, type Field} from "./spec.ts";

/** What the server shows instead of a secret, and takes for "as it was". */
export const MASK = "**********";

export type Path = readonly (string | number)[];
export const keyOfPath = (path: Path): string => path.map(part => String(part).replace(/[~/]/g, sign => sign === "~" ? "~0" : "~1")).join("/");

/** Branches of choices that no value tells: by keyOfPath(). */
export type Picked = Readonly<Record<string, number>>;

// --- choices -------------------------------------------------------------------------------------

const same = (a: Json | undefined, b: Json | undefined): boolean => a === b || JSON.stringify(a) === JSON.stringify(b);

/** Which alternative the value is of; -1: of none that we know, and its data is kept. */
export function branchOf(field: Field, value: Json | undefined, path: Path, picked: Picked): number {
  const chosen = picked[keyOfPath(path)];
  if (field.discriminator === null) return chosen ?? (isObject(value) || value === undefined ? bestBranch(field, value) : -1);
  const name = field.discriminator;
  if (!isObject(value) || value[name] === undefined) return chosen ?? -1;
  return field.branches.findIndex(branch => same(branch.constant, value[name]));
}

/** Without a discriminator: the alternative that knows most of the members. */
function bestBranch(field: Field, value: JsonObject | undefined): number {
  const names = Object.keys(value ?? {});
  const score = (branch: Branch) => names.filter(name => branch.fields.some(each => each.name === name)).length;
  const scores = field.branches.map(score);
  return scores.length === 0 ? -1 : scores.indexOf(Math.max(...scores));
}

/** The other alternative: members of the same name are kept in the form, and what is foreign goes when it is sent. */
export function switchBranch(field: Field, value: Json | undefined, index: number): JsonObject {
  const branch = field.branches[index];
  const old = isObject(value) ? value : {};
  if (branch === undefined) return old;
  const constant = field.discriminator === null ? {} : {[field.discriminator]: branch.constant as Json};
  return {...initialMembers(branch.fields), ...old, ...constant};
}

// --- the beginning -------------------------------------------------------------------------------

function initialMembers(fields: readonly Field[]): JsonObject {
  const result: JsonObject = {};
  for (const field of fields) {
    const value = initialValue(field);
    if (value !== undefined) result[field.name] = value;
  }
  return result;
}

function initialChoice(field: Field): JsonObject {
  const wanted = isObject(field.fallback) ? field.fallback : undefined;
  const name = field.discriminator;
  const found = wanted === undefined || name === null ? -1 : field.branches.findIndex(branch => same(branch.constant, wanted[name]));
  const index = found >= 0 ? found : Math.max(0, field.branches.findIndex(branch => !branch.hidden));
  return {...switchBranch(field, undefined, index), ...wanted};
}

/** Of a new form. A default is a value; nothing is not. */
export function initialValue(field: Field): Json | undefined {
  if (field.constant !== undefined) return field.constant;
  if (field.kind === "choice") return initialChoice(field);
  if (field.kind === "object") {
    const members = {...initialMembers(field.fields), ...isObject(field.fallback) ? field.fallback : {}};
    return field.required || Object.keys(members).length > 0 ? members : undefined;
  }
  return field.fallback;
}

// --- what is wrong -------------------------------------------------------------------------------

export type Wrong =
  | { code: "required" | "number" | "integer" | "choice" | "json" | "enum" | "date" }
  | { code: "pattern"; pattern: string; text: string | null }
  | { code: "minimum" | "maximum" | "shortest" | "longest"; limit: number };

export type Problem = Wrong & { path: Path; field: Field };

const DATE = /^\d{4}-\d{2}(-\d{2})?$/;
const DATE_TIME = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/;

export function isEmpty(value: Json | undefined): boolean {
  return value === undefined || value === null || (typeof value === "string" && value.trim() === "") || (Array.isArray(value) && value.length === 0);
}

/** A pattern that this browser cannot read is for the server to judge. */
function matches(pattern: string, value: string): boolean {
  try {
    return new RegExp(pattern, "u").test(value);
  } catch {
    try {
      return new RegExp(pattern).test(value);
    } catch {
      return true;
    }
  }
}

function wrongText(field: Field, value: string): Wrong | null {
  if (field.secret && value === MASK) return null;
  const trimmed = value.trim();
  if (field.pattern !== null && !matches(field.pattern, trimmed)) return {code: "pattern", pattern: field.pattern, text: field.patternText};
  if (field.pattern === null && field.kind === "date" && !DATE.test(trimmed)) return {code: "date"};
  if (field.pattern === null && field.kind === "date-time" && !DATE_TIME.test(trimmed)) return {code: "date"};
  return wrongLength(field, trimmed.length);
}

function wrongLength(field: Field, length: number): Wrong | null {
  if (field.shortest !== null && length < field.shortest) return {code: "shortest", limit: field.shortest};
  if (field.longest !== null && length > field.longest) return {code: "longest", limit: field.longest};
  return null;
}

function wrongNumber(field: Field, value: Json): Wrong | null {
  if (typeof value !== "number" || !Number.isFinite(value)) return {code: "number"};
  if (field.kind === "integer" && !Number.isInteger(value)) return {code: "integer"};
  if (field.minimum !== null && value < field.minimum) return {code: "minimum", limit: field.minimum};
  if (field.maximum !== null && value > field.maximum) return {code: "maximum", limit: field.maximum};
  return null;
}

function wrongItself(field: Field, value: Json): Wrong | null {
  switch (field.kind) {
    case "text": case "date": case "date-time": return typeof value === "string" ? wrongText(field, value) : null;
    case "integer": case "number": return wrongNumber(field, value);
    case "enum": return field.options.some(option => same(option, value)) ? null : {code: "enum"};
    case "tags": case "multi": case "list": return Array.isArray(value) ? wrongLength(field, value.length) : {code: "json"};
    default: return null;
  }
}

function members(fields: readonly Field[], value: Json | undefined, path: Path, picked: Picked): Problem[] {
  const found = isObject(value) ? value : {};
  return fields.filter(isVisible).flatMap(field => validate(field, found[field.name], [...path, field.name], picked));
}

/** Everything that is wrong, in the order of the form. An optional object that nobody has begun is right. */
export function validate(field: Field, value: Json | undefined, path: Path = [], picked: Picked = {}): Problem[] {
  if (field.kind === "choice") {
    const index = branchOf(field, value, path, picked), branch = field.branches[index];
    if (branch !== undefined) return members(branch.fields, value, path, picked);
    return isEmpty(value) && !field.required ? [] : isObject(value) && field.discriminator !== null && value[field.discriminator] !== undefined ? []
      : [{code: "choice", path, field}];
  }
  if (field.kind === "object") return isBegun(field, value) ? members(field.fields, value, path, picked) : [];
  if (isEmpty(value)) return field.required ? [{code: "required", path, field}] : [];
  const wrong = wrongItself(field, value as Json);
  if (wrong !== null) return [{...wrong, path, field}];
  if (field.item === null || !Array.isArray(value)) return [];
  const {item} = field;
  return value.flatMap((each, index) => validate(item, each, [...path, index], picked));
}

function isBegun(field: Field, value: Json | undefined): boolean {
  return field.required || (isObject(value) && field.fields.some(each => each.constant === undefined && !isEmpty(value[each.name])));
}

// --- what is sent --------------------------------------------------------------------------------

function sentMembers(fields: readonly Field[], value: Json | undefined, path: Path, picked: Picked): JsonObject {
  const found = isObject(value) ? value : {};
  const result: JsonObject = {};
  for (const field of fields) {
    const sent = toSend(field, found[field.name], [...path, field.name], picked);
    if (sent !== undefined) result[field.name] = sent;
  }
  return result;
}

/** Without what is empty, of another alternative or unknown; texts are trimmed; constants are there. */
export function toSend(field: Field, value: Json | undefined, path: Path = [], picked: Picked = {}): Json | undefined {
  if (field.constant !== undefined) return field.constant;
  if (field.hidden) return value ?? field.fallback; // nobody could change it: as it was
  if (field.kind === "choice") {
    const branch = field.branches[branchOf(field, value, path, picked)];
    if (branch === undefined) return isObject(value) && Object.keys(value).length > 0 ? value : undefined;
    const sent = sentMembers(branch.fields, value, path, picked);
    return field.discriminator === null ? sent : {[field.discriminator]: branch.constant as Json, ...sent};
  }
  if (field.kind === "object") return isBegun(field, value) ? sentMembers(field.fields, value, path, picked) : undefined;
  if (isEmpty(value)) return undefined;
  if (typeof value === "string") return field.secret && value === MASK ? value : field.multiline ? value : value.trim();
  if (Array.isArray(value) && field.item !== null) {
    const {item} = field;
    return value.flatMap((each, index) => toSend(item, each, [...path, index], picked) ?? []);
  }
  return value;
}

// --- changes -------------------------------------------------------------------------------------

export function getAt(value: Json | undefined, path: Path): Json | undefined {
  let found = value;
  for (const part of path)
    found = Array.isArray(found) ? found[Number(part)] : isObject(found) ? found[part] : undefined;
  return found;
}

/** A copy with another value in one place; undefined takes a member away. */
export function setAt(value: Json | undefined, path: Path, next: Json | undefined): Json {
  const [part, ...rest] = path;
  if (part === undefined) return next ?? null;
  if (typeof part === "number") {
    const copy = Array.isArray(value) ? [...value] : [];
    if (next === undefined && rest.length === 0) copy.splice(part, 1);
    else copy[part] = setAt(copy[part], rest, next);
    return copy;
  }
  const copy: JsonObject = isObject(value) ? {...value} : {};
  if (next === undefined && rest.length === 0) delete copy[part];
  else copy[part] = setAt(copy[part], rest, next);
  return copy;
}
