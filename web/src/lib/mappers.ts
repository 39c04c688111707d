// SPDX-License-Identifier: Apache-2.0
// Mappings as forms hold them. Pure.
import type {ConfiguredMapper, Json, JsonObject} from "./api.ts";
import {isObject, textOf} from "./streams.ts";

export type MapperType = "hashing" | "field-renaming" | "field-filtering" | "row-filtering" | "encryption";

export interface MapperField {
  name: string;
  /** One of the stream's fields, a text, a secret, or one of `options`. */
  kind: "field" | "text" | "secret" | "choice";
  options?: readonly string[];
  /** Only with this algorithm. */
  when?: string;
}

/** Row filters have a form of their own. */
export const FORMS: Partial<Record<MapperType, readonly MapperField[]>> = {
  "hashing": [{name: "targetField", kind: "field"}, {name: "method", kind: "choice", options: ["SHA-256", "SHA-384", "SHA-512", "SHA-224", "SHA-1", "MD5", "MD2"]}, {name: "fieldNameSuffix", kind: "text"}],
  "field-renaming": [{name: "originalFieldName", kind: "field"}, {name: "newFieldName", kind: "text"}],
  "field-filtering": [{name: "targetField", kind: "field"}],
  "encryption": [{name: "algorithm", kind: "choice", options: ["AES", "RSA"]}, {name: "targetField", kind: "field"}, {name: "key", kind: "secret", when: "AES"},
    {name: "mode", kind: "choice", options: ["GCM", "CBC", "CTR", "CFB", "OFB", "ECB"], when: "AES"}, {name: "padding", kind: "choice", options: ["NoPadding", "PKCS5Padding"], when: "AES"},
    {name: "publicKey", kind: "text", when: "RSA"}, {name: "fieldNameSuffix", kind: "text"}],
};

export type GroupType = "AND" | "OR" | "NOT";

/** What is asked of a record: the value of one field, or several conditions. */
export type Condition = { type: "EQUAL"; fieldName: string; comparisonValue: string } | Group;

export interface Group {
  type: GroupType;
  conditions: Condition[];
}

export const newCondition = (): Condition => ({type: "EQUAL", fieldName: "", comparisonValue: ""});

function conditionOf(value: Json | undefined): Condition | null {
  if (!isObject(value)) return null;
  const {type, conditions} = value;
  if (type === "EQUAL") return {type, fieldName: textOf(value["fieldName"]), comparisonValue: textOf(value["comparisonValue"])};
  if ((type !== "AND" && type !== "OR" && type !== "NOT") || !Array.isArray(conditions) || conditions.length === 0) return null;
  const inner = conditions.map(conditionOf);
  return inner.some(each => each === null) ? null : {type, conditions: inner as Condition[]};
}

/** There is always a group at the top. null: conditions that are not known here. */
export function groupOf(configuration: JsonObject): Group | null {
  const found = conditionOf(configuration["conditions"]);
  return found?.type === "EQUAL" ? {type: "AND", conditions: [found]} : found;
}

export function withGroup(group: Group): JsonObject {
  const [first] = group.conditions, alone = group.type === "AND" && group.conditions.length === 1 && first?.type === "EQUAL";
  return {conditions: (alone ? first : group) as unknown as Json};
}

const BEGINNINGS: Record<MapperType, () => JsonObject> = {
  "hashing": () => ({targetField: "", method: "SHA-256", fieldNameSuffix: "_hashed"}), "field-renaming": () => ({originalFieldName: "", newFieldName: ""}), "field-filtering": () => ({targetField: ""}),
  "row-filtering": () => withGroup({type: "AND", conditions: [newCondition()]}),
  "encryption": () => ({algorithm: "AES", targetField: "", key: "", mode: "GCM", padding: "NoPadding", fieldNameSuffix: "_encrypted"}),
};

/** The server gives it an id. */
export function newMapper(type: MapperType): ConfiguredMapper {
  return {type, mapperConfiguration: BEGINNINGS[type]()};
}

function sampleValue(name: string, schema: Json): Json {
  if (!isObject(schema)) return name;
  const types = (Array.isArray(schema["type"]) ? schema["type"] : [schema["type"]]).map(textOf);
  if (types.includes("integer")) return 42;
  if (types.includes("number")) return 4.2;
  if (types.includes("boolean")) return true;
  if (types.includes("array")) return [];
  if (types.includes("object")) return {};
  if (schema["format"] === "date") return "2026-01-31";
  return schema["format"] === "date-time" ? "2026-01-31T12:00:00Z" : `a ${name}`;
}

/** A record that the stream could have. */
export function sampleOf(schema: Json | undefined): JsonObject {
  const properties = isObject(schema) && isObject(schema["properties"]) ? schema["properties"] : {};
  return Object.fromEntries(Object.entries(properties).map(([name, each]) => [name, sampleValue(name, each)]));
}
