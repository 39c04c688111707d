// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import {test} from "node:test";
import type {JsonObject} from "#gen/api.ts";
import {change, commonFields, fieldsOf, filterChoices, isHeld, modeId, modeOf, needsCursor, needsKey, readCatalog, rowsOf, setCursor, setField, setMode, setModeAndCursor, setTaken,
  takeSuggested, toggleKey, tri, troubleOf, writeCatalog, type Choice, type Mode} from "../../src/lib/catalog.ts";

const FIELDS = {id: {type: "integer"}, at: {type: ["null", "string"], format: "date-time"}, note: {type: ["string", "null"]}};
const ALL = ["overwrite", "append", "append_dedup"];
const DEDUP = modeOf("incremental append_dedup") as Mode, APPEND = modeOf("incremental append") as Mode, FULL = modeOf("full_refresh overwrite") as Mode;

const stream = (name: string, more: JsonObject = {}, config: JsonObject = {}): JsonObject => ({
  stream: {name, jsonSchema: {type: "object", properties: FIELDS}, supportedSyncModes: ["full_refresh", "incremental"], ...more},
  config: {syncMode: "full_refresh", destinationSyncMode: "overwrite", selected: true, ...config},
});

const read = (...streams: JsonObject[]): Choice[] => readCatalog({streams}, ALL);
const one = (more: JsonObject = {}, config: JsonObject = {}): Choice => read(stream("a", more, config))[0] as Choice;
const written = (...choices: Choice[]) => (writeCatalog(choices)["streams"] as JsonObject[]).map(each => each["config"] as JsonObject);

test("a catalog is read whatever is in it, and sorted as a person looks for it", () => {
  assert.deepEqual(readCatalog(undefined, ALL), []);
  assert.deepEqual(readCatalog({streams: ["x", null, {config: {}}]}, ALL), []);
  assert.deepEqual(read(stream("t10"), stream("t9"), stream("z", {namespace: "a"})).map(each => each.facts.name), ["t9", "t10", "z"]);
  assert.deepEqual(fieldsOf(one().facts), [{name: "id", type: "integer"}, {name: "at", type: "date-time"}, {name: "note", type: "string"}]);
  assert.deepEqual(fieldsOf(one({jsonSchema: "nonsense"}).facts), []);
});

test("modes are those that both sides can do", () => {
  for (const [source, destination, expected] of [
    [["full_refresh"], ALL, ["full_refresh overwrite", "full_refresh append"]], [["incremental"], ["append"], ["incremental append"]], [["incremental"], ["overwrite"], []],
    [["full_refresh"], [], ["full_refresh overwrite", "full_refresh append", "full_refresh overwrite_dedup"]],
  ] as const) {
    const [found] = readCatalog({streams: [stream("a", {supportedSyncModes: [...source]})]}, destination);
    assert.deepEqual(found?.facts.modes.map(modeId), expected);
  }
});

test("the mode it came with is kept when it can be done, else the best one for which nothing is missing", () => {
  assert.equal(modeId(one({}, {syncMode: "incremental", destinationSyncMode: "append"}).mode), "incremental append");
  const only = (...modes: string[]) => readCatalog({streams: [stream("a")]}, modes)[0] as Choice;
  assert.equal(modeId(only("append").mode), "full_refresh append");
  assert.equal(modeId(only("append_dedup").mode), "incremental append_dedup", "nothing else is possible");
  const own = readCatalog({streams: [stream("a", {sourceDefinedCursor: true, sourceDefinedPrimaryKey: [["id"]]}, {syncMode: "x"})]}, ALL)[0] as Choice;
  assert.equal(modeId(own.mode), "incremental append_dedup");
});

test("what is missing is said only of streams that are taken", () => {
  for (const [choice, trouble] of [
    [one(), null], [setMode(APPEND)(one()), "cursor"], [setMode(APPEND)(one({sourceDefinedCursor: true})), null], [setMode(APPEND)(one({defaultCursorField: ["at"]})), null],
    [setCursor("lost")(setMode(APPEND)(one())), "cursor"], [toggleKey("lost")(setCursor("at")(setMode(DEDUP)(one()))), "key"], [setCursor("any")(setMode(APPEND)(one({jsonSchema: {}}))), null],
    [setCursor("at")(setMode(DEDUP)(one())), "key"], [toggleKey("id")(setCursor("at")(setMode(DEDUP)(one()))), null], [setTaken(false)(setMode(DEDUP)(one())), null],
    [readCatalog({streams: [stream("a", {supportedSyncModes: ["incremental"]})]}, ["overwrite"])[0] as Choice, "mode"],
  ] as const) assert.equal(troubleOf(choice), trouble);
  assert.ok(needsCursor(setMode(APPEND)(one())) && !needsCursor(one()) && needsKey(setMode(DEDUP)(one())));
  assert.ok(!needsKey(setMode(DEDUP)(one({sourceDefinedPrimaryKey: [["id"]]}))));
});

test("fields: what the run goes by cannot be left out, all of them is none chosen", () => {
  const choice = toggleKey("id")(setCursor("at")(setMode(DEDUP)(one())));
  assert.ok(isHeld(choice, "id") && isHeld(choice, "at") && !isHeld(choice, "note"));
  assert.equal(setField("id", false)(choice), choice);
  const without = setField("note", false)(choice);
  assert.deepEqual([...without.fields ?? []], ["id", "at"]);
  assert.equal(setField("note", true)(without).fields, null);
  const bare = setField("at", false)(setField("id", false)(one()));
  assert.equal(setField("note", false)(bare), bare, "the last field stays");
  assert.deepEqual([...setCursor("at")(setMode(APPEND)(bare)).fields ?? []].sort(), ["at", "note"], "a new cursor is among the fields");
  assert.deepEqual([...toggleKey("id")(bare).fields ?? []].sort(), ["id", "note"]);
});

test("what the source says is not for a person to choose", () => {
  const own = one({sourceDefinedCursor: true, sourceDefinedPrimaryKey: [["id"]]});
  assert.equal(setCursor("at")(own), own);
  assert.equal(toggleKey("note")(own), own);
  assert.deepEqual(own.primaryKey, [["id"]]);
});

test("keys are of several fields, and go as they came", () => {
  const both = toggleKey("note")(toggleKey("id")(one()));
  assert.deepEqual(both.primaryKey, [["id"], ["note"]]);
  assert.deepEqual(toggleKey("id")(both).primaryKey, [["note"]]);
});

test("many at once: those that cannot stay as they are, and are the same objects", () => {
  const choices = read(stream("a"), stream("b", {supportedSyncModes: ["full_refresh"]}), stream("c", {jsonSchema: {properties: {id: {}}}}));
  const keys = new Set(choices.map(each => each.facts.key));
  const done = change(choices, keys, setModeAndCursor(DEDUP, "at"));
  assert.deepEqual(done.choices.map(each => [modeId(each.mode), each.cursor[0]]), [["incremental append_dedup", "at"], ["full_refresh overwrite", undefined], ["incremental append_dedup", undefined]]);
  assert.equal(done.changed, 2);
  assert.equal(done.choices[1], choices[1]);
  const [first] = choices;
  assert.equal(change(choices, new Set([first?.facts.key ?? ""]), setTaken(false)).changed, 1);
  assert.equal(change(choices, keys, setMode(FULL)).changed, 0);
});

test("nothing suggested: everything is taken; something is: that", () => {
  const none = read(stream("a", {}, {selected: false}), stream("b", {}, {selected: false}));
  assert.deepEqual(takeSuggested(none).map(each => each.taken), [true, true]);
  assert.deepEqual(takeSuggested(read(stream("a", {}, {selected: false}), stream("b"))).map(each => each.taken), [false, true]);
});

test("what is sent: taken streams alone, with what nobody chose here as it came", () => {
  const [config] = written(setField("note", false)(toggleKey("id")(setCursor("at")(setMode(DEDUP)(one({}, {mappers: [{type: "hashing"}], aliasName: "a"}))))), setTaken(false)(one()));
  assert.deepEqual(config, {syncMode: "incremental", destinationSyncMode: "append_dedup", selected: true, mappers: [{type: "hashing"}], aliasName: "a", cursorField: ["at"], primaryKey: [["id"]],
    fieldSelectionEnabled: true, selectedFields: [{fieldPath: ["id"]}, {fieldPath: ["at"]}]});
  assert.deepEqual(written(setTaken(false)(one())), []);
  assert.deepEqual(written(setCursor("at")(one()))[0]?.["cursorField"], [], "a full refresh has no cursor");
  const again = readCatalog({streams: [{stream: one().facts.stream, config: config ?? {}}]}, ALL)[0] as Choice;
  assert.deepEqual([modeId(again.mode), [...again.fields ?? []], again.cursor], ["incremental append_dedup", ["id", "at"], ["at"]]);
});

test("search: parts of names, patterns, what is not wanted, and what is shown", () => {
  const choices = read(stream("orders", {namespace: "shop"}), stream("order_lines", {namespace: "shop"}), stream("audit_orders", {namespace: "shop"}, {selected: false}), stream("orders", {namespace: "old"}));
  const names = (term: string, show: "all" | "taken" | "left" | "wrong" = "all") => filterChoices(choices, term, show).map(each => `${each.facts.namespace}.${each.facts.name}`);
  for (const [term, expected] of [
    ["", 4], ["ORDER", 4], ["shop ord", 3], ["order*", 3], ["*orders", 3], ["shop.order*", 2], ["-audit", 3], ["-audit* shop", 2], ["shop.*", 3], ["nothing", 0], ["or.ers", 0], ["-", 0], ["*", 4],
  ] as const) assert.equal(names(term).length, expected, term);
  assert.deepEqual(names("", "left"), ["shop.audit_orders"]);
  assert.equal(names("", "taken").length, 3);
  assert.equal(filterChoices(change(choices, new Set([choices[0]?.facts.key ?? ""]), setMode(APPEND)).choices, "", "wrong").length, 1);
});

test("rows: namespaces only where there are any, fields of what is open", () => {
  const flat = read(stream("a"), stream("b"));
  assert.deepEqual(rowsOf(flat, new Set(), new Set()).map(row => row.kind), ["stream", "stream"]);
  assert.deepEqual(rowsOf(flat, new Set(), new Set([flat[0]?.facts.key ?? ""])).map(row => row.kind), ["stream", "field", "field", "field", "stream"]);
  const deep = read(stream("a", {namespace: "x"}), stream("b", {namespace: "y"}), stream("c"));
  assert.deepEqual(rowsOf(deep, new Set(["x"]), new Set()).map(row => row.kind === "namespace" ? `(${row.namespace})` : row.kind), ["()", "stream", "(x)", "(y)", "stream"]);
});

test("a group is taken, left out, or both", () => {
  const choices = read(stream("a"), stream("b", {}, {selected: false}));
  assert.equal(tri(choices), "mixed");
  assert.equal(tri(choices.slice(0, 1)), "true");
  assert.equal(tri(choices.slice(1)), "false");
});

test("fields that most streams have are offered first", () => {
  const choices = read(stream("a"), stream("b", {jsonSchema: {properties: {at: {}, x: {}}}}));
  assert.deepEqual(commonFields(choices, 2), ["at", "id"]);
});

test("of five thousand streams only those that are meant are changed", () => {
  const many = read(...Array.from({length: 5000}, (_x, i) => stream(`table_${i}`, {namespace: `schema_${i % 7}`})));
  const shown = filterChoices(many, "table_4 -schema_3", "all");
  const next = change(many, new Set(shown.map(each => each.facts.key)), setTaken(false));
  assert.equal(rowsOf(next.choices, new Set(), new Set()).length, 5007);
  assert.equal(next.changed, shown.length);
  assert.equal(next.choices.filter((choice, index) => choice === many[index]).length, 5000 - shown.length);
});
