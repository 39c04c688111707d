// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import {test} from "node:test";
import type {JsonObject} from "#gen/api.ts";
import {conditionOf, FORMS, newMapper, sampleOf, withCondition, type MapperType} from "../../src/lib/mappers.ts";

const equal = {type: "EQUAL", fieldName: "a", comparisonValue: "1"};

test("a condition of one field is read and written; what is made of several is left alone", () => {
  for (const [conditions, expected] of [
    [equal, {keep: true, field: "a", value: "1"}], [{type: "NOT", conditions: [equal]}, {keep: false, field: "a", value: "1"}], [{type: "AND", conditions: [equal, equal]}, null],
    [{type: "NOT", conditions: [equal, equal]}, null], [{type: "NOT", conditions: [{type: "OR", conditions: [equal]}]}, null], ["nonsense", null], [{type: "NOT"}, null],
  ] as [JsonObject, ReturnType<typeof conditionOf>][]) {
    assert.deepEqual(conditionOf({conditions}), expected);
    if (expected !== null) assert.deepEqual(withCondition(expected), {conditions});
  }
  assert.equal(conditionOf({}), null);
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
