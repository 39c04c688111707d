// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import {test} from "node:test";
import type {JsonObject} from "#gen/api.ts";
import {FORMS, groupOf, newMapper, sampleOf, withGroup, type Condition, type Group, type MapperType} from "../../src/lib/mappers.ts";

const equal: Condition = {type: "EQUAL", fieldName: "a", comparisonValue: "1"};

test("conditions are read and written, of any depth; what is not known is left alone", () => {
  const deep = {type: "NOT", conditions: [equal, {type: "OR", conditions: [{type: "AND", conditions: [equal]}, equal]}]};
  for (const [conditions, expected] of [
    [equal, {type: "AND", conditions: [equal]}], [{type: "NOT", conditions: [equal]}, {type: "NOT", conditions: [equal]}], [deep, deep],
    [{type: "AND", conditions: [deep]}, {type: "AND", conditions: [deep]}],
    ["nonsense", null], [{type: "NOT"}, null], [{type: "OR", conditions: []}, null], [{type: "LESS", conditions: [equal]}, null], [{type: "AND", conditions: [equal, {type: "LIKE"}]}, null],
  ] as [JsonObject, Group | null][]) {
    assert.deepEqual(groupOf({conditions}), expected);
    if (expected !== null) assert.deepEqual(withGroup(expected), {conditions});
  }
  assert.equal(groupOf({}), null);
});

test("a new mapping has every member of its form", () => {
  for (const type of ["hashing", "field-renaming", "field-filtering", "row-filtering", "encryption"] as MapperType[]) {
    const made = newMapper(type);
    assert.equal(made.type, type);
    for (const field of FORMS[type] ?? [])
      if (field.when !== "RSA") assert.ok(field.name in made.mapperConfiguration, `${type} ${field.name}`);
    for (const field of FORMS[type] ?? [])
      if (field.options && field.name in made.mapperConfiguration) assert.ok(field.options.includes(String(made.mapperConfiguration[field.name])));
  }
});

test("a sample has each field with a value of its type", () => {
  assert.deepEqual(sampleOf({properties: {id: {type: "integer"}, n: {type: ["null", "number"]}, b: {type: "boolean"}, l: {type: "array"}, o: {type: "object"}, d: {type: "string", format: "date"},
    at: {type: "string", format: "date-time"}, name: {type: "string"}, any: {}}}),
  {id: 42, n: 4.2, b: true, l: [], o: {}, d: "2026-01-31", at: "2026-01-31T12:00:00Z", name: "a name", any: "a any"});
  assert.deepEqual(sampleOf(undefined), {});
  assert.deepEqual(sampleOf("nonsense"), {});
});
