// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import {test} from "node:test";
import type {ConfigConnectionRead, Json} from "#gen/api.ts";
import {isBreaking, readDiff} from "../../src/lib/schema-diff.ts";
import {connectionYaml, toYaml} from "../../src/lib/yaml.ts";

test("values that YAML would take for something else are quoted", () => {
  for (const [value, text] of [
    ["plain", "plain"], ["two words", "two words"], ["yes", '"yes"'], ["No", '"No"'], ["null", '"null"'], ["", '""'], ["1.5", '"1.5"'], [" lead", '" lead"'], ["a: b", '"a: b"'], ["# no", '"# no"'],
    ["trail ", '"trail "'], ["ünï", '"ünï"'], ["- x", '"- x"'], ["${X}", '"${X}"'], [1, "1"], [true, "true"], [null, "null"], [[], "[]"], [{}, "{}"], [["a", 1], '["a", 1]'], ["a\nb", '"a\\nb"'], ["x", "x"],
    ["end:", '"end:"'], ["on", '"on"'], ["2026-01-01", '"2026-01-01"'],
  ] as [Json, string][]) assert.equal(toYaml(value), text, JSON.stringify(value));
});

test("objects and lists are nested by their indent", () => {
  assert.equal(toYaml({a: {b: 1, c: [{d: 1, e: {f: 2}}, {g: 3}]}, h: ["x"]}), "\na:\n  b: 1\n  c:\n    - d: 1\n      e:\n        f: 2\n    - g: 3\nh: [\"x\"]");
});

test("a connection as a document, with what a person would write", () => {
  const read = {connectionId: "c", name: "Shop: all", sourceId: "s", destinationId: "d", status: "active", breakingChange: false, scheduleType: "cron", namespaceDefinition: "customformat",
    namespaceFormat: "raw_${SOURCE_NAMESPACE}", prefix: "", nonBreakingChangesPreference: "ignore", scheduleData: {cron: {cronExpression: "0 0 6 * * ?", cronTimeZone: "UTC"}},
    syncCatalog: {streams: [
      {stream: {name: "orders", namespace: "public", supportedSyncModes: ["incremental"], jsonSchema: {properties: {id: {}, at: {}}}}, config: {selected: true, syncMode: "incremental",
        destinationSyncMode: "append_dedup", cursorField: ["at"], primaryKey: [["id"]], mappers: [{type: "hashing", mapperConfiguration: {targetField: "id"}}]}},
      {stream: {name: "left"}, config: {selected: false}},
    ]}} as unknown as ConfigConnectionRead;
  assert.equal(connectionYaml(read, "Shop", "Warehouse"), `---
apiVersion: sluice/v1
kind: Connection
metadata:
  name: "Shop: all"
spec:
  source:
    ref: Shop
  destination:
    ref: Warehouse
  enabled: true
  schedule:
    cron: "0 0 6 * * ?"
    timezone: UTC
  namespace:
    custom: "raw_\${SOURCE_NAMESPACE}"
  prefix: ""
  onSchemaChange:
    nonBreaking: ignore
    backfill: false
  streams:
    - name: orders
      namespace: public
      mode: incremental_append_dedup
      cursor: at
      primaryKey: ["id"]
      mappings:
        - type: hashing
          mapperConfiguration:
            targetField: id
`);
});

test("a diff of schemas, whatever is in it", () => {
  assert.deepEqual(readDiff(undefined), []);
  assert.deepEqual(readDiff({transforms: "x"}), []);
  const changes = readDiff({transforms: [
    {transformType: "update_stream", streamDescriptor: {name: "a", namespace: "n"}, updateStream: {fieldTransforms: [
      {transformType: "add_field", fieldName: ["x"], breaking: false}, {transformType: "remove_field", fieldName: ["y", "z"], breaking: true}, {transformType: "update_field_schema", fieldName: ["w"]}],
      streamAttributeTransforms: [{transformType: "update_primary_key", breaking: false}]}},
    {transformType: "add_stream", streamDescriptor: {name: "b"}}, {transformType: "remove_stream", streamDescriptor: {name: "c"}},
  ]});
  assert.deepEqual(changes.map(each => [each.kind, each.namespace, each.name, each.key, isBreaking(each, true)]), [["changed", "n", "a", true, true], ["added", "", "b", false, false], ["removed", "", "c", false, true]]);
  assert.ok(changes.every(each => !isBreaking(each, false)), "of what is not synced nothing breaks");
  assert.deepEqual(changes[0]?.fields.map(field => [field.kind, field.name]), [["added", "x"], ["removed", "y.z"], ["changed", "w"]]);
});
