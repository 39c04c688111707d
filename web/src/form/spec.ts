// SPDX-License-Identifier: Apache-2.0
// A connector's specification as fields of a form. Pure: no markup, no state. The dialect is that of connector specifications:
// JSON Schema draft 7 with order, groups, always_show, airbyte_secret, airbyte_hidden, multiline, pattern_descriptor, display_type.
import type {Json, JsonObject} from "#gen/api.ts";

export type Kind =
  | "text" | "integer" | "number" | "boolean" | "enum" | "date" | "date-time"
  /** Several texts, several of given ones, several objects. */
  | "tags" | "multi" | "list"
  /** Members of its own; one of several such. */
  | "object" | "choice"
  /** What no rule covers is edited as JSON, so that nothing is lost. */
  | "json";

export interface Field {
  name: string;
  kind: Kind;
  title: string;
  description: string;
  required: boolean;
  order: number | null;
  group: string;
  alwaysShow: boolean;
  hidden: boolean;
  secret: boolean;
  multiline: boolean;
  /** Sent as it is and never shown. */
  constant: Json | undefined;
  fallback: Json | undefined;
  examples: string[];
  options: Json[];
  pattern: string | null;
  patternText: string | null;
  minimum: number | null;
  maximum: number | null;
  /** Of texts and lists. */
  shortest: number | null;
  longest: number | null;
  /** An object's members, in the order of the form. */
  fields: Field[];
  /** A choice's alternatives. */
  branches: Branch[];
  discriminator: string | null;
  tiles: boolean;
  /** Of tags: is each a number? Of a list: the object. */
  item: Field | null;
}

export interface Branch {
  title: string;
  description: string;
  hidden: boolean;
  /** What the discriminator says in it. */
  constant: Json | undefined;
  fields: Field[];
}

export interface Group {
  id: string;
  title: string;
  /** Open, behind "Optional fields", and at the foot of the form (optional and without an order). */
  shown: Field[];
  optional: Field[];
  footer: Field[];
}

const MAX_DEPTH = 24; // a specification that refers to itself must not hang the page

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const text = (value: Json | undefined): string => typeof value === "string" ? value : "";
const number = (value: Json | undefined): number | null => typeof value === "number" ? value : null;
const list = (value: Json | undefined): Json[] => Array.isArray(value) ? value : [];
const typesOf = (schema: JsonObject): string[] => list(schema["type"]).map(text).concat(text(schema["type"])).filter(name => name !== "" && name !== "null");

/** "aws_access_key" reads "Aws access key". */
export function titleOf(name: string): string {
  const words = name.replace(/[_-]+/g, " ").replace(/([a-z])([A-Z])/g, "$1 $2").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

class Parser {
  constructor(private readonly root: JsonObject) {}

  /** What "$ref": "#/definitions/x" stands for, with what stands beside it. */
  resolve(schema: Json | undefined): JsonObject {
    let found = isObject(schema) ? schema : {};
    for (let i = 0; i < MAX_DEPTH && typeof found["$ref"] === "string"; i++) {
      const {$ref: ref, ...rest} = found;
      let target: Json | undefined = this.root;
      for (const part of String(ref).replace(/^#\/?/, "").split("/"))
        target = isObject(target) ? target[part.replace(/~1/g, "/").replace(/~0/g, "~")] : undefined;
      found = {...isObject(target) ? target : {}, ...rest};
    }
    return found;
  }

  fields(schema: JsonObject, depth: number): Field[] {
    const required = new Set(list(schema["required"]).map(text));
    const properties = isObject(schema["properties"]) ? schema["properties"] : {};
    return sortFields(Object.entries(properties).map(([name, value]) => this.field(name, this.resolve(value), required.has(name), depth + 1)));
  }

  field(name: string, schema: JsonObject, required: boolean, depth: number): Field {
    const kind = depth > MAX_DEPTH ? "json" : this.kind(schema);
    const items = this.resolve(schema["items"]);
    const pattern = typeof schema["pattern"] === "string" ? schema["pattern"] : null;
    const options = kind === "multi" ? list(items["enum"]) : kind === "enum" ? list(schema["enum"]) : [];
    const branches = kind === "choice" ? list(schema["oneOf"] ?? schema["anyOf"]).map(each => this.resolve(each)) : [];
    const discriminator = discriminatorOf(branches);
    return {
      name, kind, required, title: text(schema["title"]) || titleOf(name), description: text(schema["description"]),
      order: number(schema["order"]), group: text(schema["group"]), alwaysShow: schema["always_show"] === true,
      hidden: schema["airbyte_hidden"] === true, secret: schema["airbyte_secret"] === true, multiline: schema["multiline"] === true,
      constant: constantOf(schema), fallback: schema["default"],
      examples: list(schema["examples"]).map(each => typeof each === "string" ? each : JSON.stringify(each)),
      options, pattern, patternText: text(schema["pattern_descriptor"]) || null,
      minimum: number(schema["minimum"]), maximum: number(schema["maximum"]),
      shortest: number(schema["minLength"] ?? schema["minItems"]), longest: number(schema["maxLength"] ?? schema["maxItems"]),
      fields: kind === "object" ? this.fields(schema, depth) : [],
      branches: branches.map((branch, index) => ({
        title: text(branch["title"]) || `${index + 1}`, description: text(branch["description"]), hidden: branch["airbyte_hidden"] === true,
        constant: discriminator === null ? undefined : constantOf(this.resolve((branch["properties"] as JsonObject)[discriminator])),
        fields: this.fields(branch, depth).filter(each => each.name !== discriminator),
      })),
      discriminator, tiles: schema["display_type"] === "radio",
      item: kind === "list" || kind === "tags" ? this.field("", items, true, depth + 1) : null,
    };
  }

  kind(schema: JsonObject): Kind {
    const alternatives = list(schema["oneOf"] ?? schema["anyOf"]).map(each => this.resolve(each));
    if (alternatives.length > 0 && alternatives.every(each => isObject(each["properties"]))) return "choice";
    if (Array.isArray(schema["enum"])) return "enum";
    const [type] = typesOf(schema);
    switch (type) {
      case "integer": case "number": case "boolean": return type;
      case "string": return schema["format"] === "date" || schema["format"] === "date-time" ? schema["format"] : "text";
      case "array": return this.arrayKind(this.resolve(schema["items"]));
      default: return isObject(schema["properties"]) ? "object" : "json";
    }
  }

  arrayKind(items: JsonObject): Kind {
    if (Array.isArray(items["enum"])) return "multi";
    const [type] = typesOf(items);
    if (type === "string" || type === "integer" || type === "number") return "tags";
    return isObject(items["properties"]) ? "list" : "json";
  }
}

/** `const`, or the one value of an enum that is the default too. */
function constantOf(schema: JsonObject): Json | undefined {
  if (schema["const"] !== undefined) return schema["const"];
  const values = list(schema["enum"]);
  return values.length === 1 && schema["default"] === values[0] ? values[0] : undefined;
}

/** The first property that is constant in every branch says which one a value is of. */
function discriminatorOf(branches: readonly JsonObject[]): string | null {
  const [first] = branches;
  const names = Object.keys(isObject(first?.["properties"]) ? first["properties"] : {});
  const isConstant = (branch: JsonObject, name: string) => {
    const properties = isObject(branch["properties"]) ? branch["properties"] : {};
    const schema = properties[name];
    return isObject(schema) && constantOf(schema) !== undefined;
  };
  return names.find(name => branches.every(branch => isConstant(branch, name))) ?? null;
}

/** By order, then by name; those without one come behind. */
function sortFields(fields: Field[]): Field[] {
  return fields.sort((a, b) => (a.order ?? Infinity) - (b.order ?? Infinity) || 0 || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

export interface Spec {
  root: Field;
  groups: Group[];
}

/** `schema`: the connectionSpecification. */
export function parseSpec(schema: JsonObject): Spec {
  const parser = new Parser(schema);
  const whole = parser.resolve(schema);
  const root: Field = {...parser.field("", {...whole, type: "object", properties: whole["properties"] ?? {}}, true, 0)};
  return {root, groups: groupFields(root.fields, list(whole["groups"]).filter(isObject))};
}

export const isVisible = (field: Field): boolean => !field.hidden && field.constant === undefined;

/** Open from the beginning? Everything else waits behind "Optional fields". */
export function isShown(field: Field): boolean {
  return field.required || field.alwaysShow || field.kind === "choice" || field.kind === "object";
}

function groupFields(fields: readonly Field[], declared: readonly JsonObject[]): Group[] {
  const groups = new Map<string, Group>();
  const open = (id: string, title: string) => groups.set(id, {id, title, shown: [], optional: [], footer: []});
  open("", "");
  for (const each of declared) open(text(each["id"]), text(each["title"]));
  for (const field of fields.filter(isVisible)) {
    if (!groups.has(field.group)) open(field.group, titleOf(field.group));
    const group = groups.get(field.group) as Group;
    (isShown(field) ? group.shown : field.order !== null ? group.optional : group.footer).push(field);
  }
  const rank = (group: Group) => group.id === "advanced" ? 1 : 0;
  return [...groups.values()].filter(group => group.shown.length + group.optional.length + group.footer.length > 0).sort((a, b) => rank(a) - rank(b));
}
