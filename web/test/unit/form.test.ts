// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import {test} from "node:test";
import type {Json, JsonObject} from "#gen/api.ts";
import {parseSpec, titleOf, type Field} from "../../src/form/spec.ts";
import {branchOf, getAt, initialValue, keyOfPath, MASK, setAt, switchBranch, toSend, validate} from "../../src/form/values.ts";

const spec = (properties: JsonObject, rest: JsonObject = {}) => parseSpec({type: "object", properties, ...rest});
const names = (fields: readonly Field[]) => fields.map(field => field.name).join();

test("titles of names", () => {
  for (const [name, title] of [["host", "Host"], ["aws_access_key", "Aws access key"], ["startDate", "Start Date"], ["", ""]] as const)
    assert.equal(titleOf(name), title);
});

test("kinds", () => {
  const {root} = spec({
    a: {type: "string"}, b: {type: ["null", "integer"]}, c: {type: "number"}, d: {type: "boolean"}, e: {type: "string", enum: ["x", "y"]},
    f: {type: "string", format: "date"}, g: {type: "string", format: "date-time"}, h: {type: "array", items: {type: "string"}},
    i: {type: "array", items: {type: "string", enum: ["p", "q"]}}, j: {type: "array", items: {type: "object", properties: {k: {type: "string"}}}},
    k: {type: "object", properties: {}}, l: {type: "object", oneOf: [{properties: {t: {const: 1}}}]}, m: {type: "object"}, n: {},
    o: {type: "array", items: {type: "integer"}}, p: {type: "string", oneOf: [{const: "x"}]},
  });
  assert.deepEqual(root.fields.map(field => field.kind), ["text", "integer", "number", "boolean", "enum", "date", "date-time", "tags", "multi", "list", "object",
    "choice", "json", "json", "tags", "text"]);
});

test("order, then name; what has no order is behind", () => {
  assert.equal(names(spec({b: {type: "string"}, a: {type: "string"}, z: {type: "string", order: 0}, y: {type: "string", order: 1}, x: {type: "string", order: 1}}).root.fields), "z,x,y,a,b");
});

test("groups: declared ones in their order, others behind, advanced last; optional fields wait", () => {
  const {groups} = spec({
    host: {type: "string", group: "db", order: 0}, port: {type: "integer", group: "db", order: 1}, note: {type: "string", group: "db"},
    always: {type: "string", always_show: true}, tuned: {type: "string", group: "advanced"}, other: {type: "string", group: "more_things", order: 1},
    hid: {type: "string", airbyte_hidden: true}, fix: {type: "string", const: "v"}, auth: {type: "object", group: "auth", oneOf: [{properties: {t: {const: "a"}}}]},
  }, {required: ["host"], groups: [{id: "auth", title: "Authentication"}, {id: "advanced", title: "Advanced"}, {id: "db", title: "Database"}]});
  assert.deepEqual(groups.map(group => [group.id, group.title, names(group.shown), names(group.optional), names(group.footer)]), [
    ["", "", "always", "", ""], ["auth", "Authentication", "auth", "", ""], ["db", "Database", "host", "port", "note"],
    ["more_things", "More things", "", "other", ""], ["advanced", "Advanced", "", "", "tuned"]]);
});

const AUTH: JsonObject = {
  type: "object", oneOf: [
    {title: "Password", required: ["user", "password"], properties: {method: {const: "password"}, user: {type: "string"}, password: {type: "string", airbyte_secret: true}}},
    {title: "Key", required: ["key"], properties: {method: {type: "string", enum: ["key"], default: "key"}, user: {type: "string"}, key: {type: "string", multiline: true}}},
    {title: "Old", airbyte_hidden: true, properties: {method: {const: "old"}}},
  ],
};

test("a choice: the discriminator is the first that is constant everywhere", () => {
  const auth = spec({auth: AUTH}).root.fields[0] as Field;
  assert.equal(auth.discriminator, "method");
  assert.deepEqual(auth.branches.map(branch => [branch.title, branch.constant, branch.hidden, names(branch.fields)]),
    [["Password", "password", false, "password,user"], ["Key", "key", false, "key,user"], ["Old", "old", true, ""]]);
});

test("a choice begins with its default, else with the first that is offered", () => {
  for (const [fallback, method] of [[undefined, "password"], [{method: "key"}, "key"], [{method: "unknown"}, "unknown"]] as const) {
    const auth = spec({auth: fallback ? {...AUTH, default: fallback} : AUTH}).root.fields[0] as Field;
    assert.equal((initialValue(auth) as JsonObject)["method"], method);
  }
});

test("another branch keeps what has the same name, and sends nothing foreign", () => {
  const {root} = spec({auth: AUTH}), auth = root.fields[0] as Field;
  const typed = {method: "password", user: "ada", password: "p"};
  const switched = switchBranch(auth, typed, 1);
  assert.deepEqual(switched, {method: "key", user: "ada", password: "p"});
  assert.deepEqual(toSend(root, {auth: {...switched, key: "line\n"}}), {auth: {method: "key", user: "ada", key: "line\n"}});
  assert.deepEqual(switchBranch(auth, switched, 0)["password"], "p");
});

test("a stored value of no branch that we know is kept as it is", () => {
  const {root} = spec({auth: AUTH}), auth = root.fields[0] as Field, stored = {method: "new", secret: 1};
  assert.equal(branchOf(auth, stored, ["auth"], {}), -1);
  assert.deepEqual(validate(root, {auth: stored}), []);
  assert.deepEqual(toSend(root, {auth: stored}), {auth: stored});
});

test("branches without a discriminator are told apart by what was picked, or by their members", () => {
  const {root} = spec({c: {type: "object", oneOf: [{properties: {a: {type: "string"}}}, {properties: {b: {type: "string"}}}]}});
  const choice = root.fields[0] as Field;
  assert.equal(choice.discriminator, null);
  assert.equal(branchOf(choice, {b: "x"}, ["c"], {}), 1);
  assert.equal(branchOf(choice, {}, ["c"], {[keyOfPath(["c"])]: 1}), 1);
  assert.deepEqual(toSend(root, {c: {a: "1", b: "2"}}, [], {c: 1}), {c: {b: "2"}});
});

test("what is wrong, and where", () => {
  const {root} = spec({
    host: {type: "string", minLength: 2, maxLength: 5}, port: {type: "integer", minimum: 1, maximum: 9}, rate: {type: "number"}, mode: {type: "string", enum: ["a", "b"]},
    start: {type: "string", format: "date-time"}, day: {type: "string", format: "date"}, month: {type: "string", pattern: "^\\d{4}-\\d{2}$", pattern_descriptor: "YYYY-MM"},
    secret: {type: "string", airbyte_secret: true, pattern: "^x"}, tags: {type: "array", items: {type: "string", pattern: "^t"}, minItems: 2}, auth: AUTH,
    opt: {type: "object", required: ["in"], properties: {in: {type: "string"}, out: {type: "string"}}}, broken: {type: "string", pattern: "(?<="},
  }, {required: ["host", "port"]});
  const good = {host: "abc", port: 5, auth: {method: "password", user: "u", password: "p"}};
  for (const [change, expected] of [
    [{}, ""], [{host: "  "}, "host required"], [{host: undefined}, "host required"], [{host: " a "}, "host shortest"], [{host: "abcdef"}, "host longest"],
    [{port: 0}, "port minimum"], [{port: 10}, "port maximum"], [{port: 1.5}, "port integer"], [{port: "x"}, "port number"], [{rate: "1"}, "rate number"],
    [{mode: "c"}, "mode enum"], [{mode: "b"}, ""], [{start: "2026-01-01T00:00:00Z"}, ""], [{start: "yesterday"}, "start date"], [{day: "2026-13-99"}, ""], [{day: "1.1.26"}, "day date"],
    [{month: "2026-01"}, ""], [{month: "2026"}, "month pattern"], [{secret: MASK}, ""], [{secret: "abc"}, "secret pattern"], [{tags: ["t1"]}, "tags shortest"],
    [{tags: ["t1", "u2"]}, "tags/1 pattern"], [{auth: {method: "key"}}, "auth/key required"], [{opt: {}}, ""], [{opt: {out: "x"}}, "opt/in required"], [{broken: "anything"}, ""],
  ] as [JsonObject, string][])
    assert.equal(validate(root, {...good, ...change}).map(each => `${keyOfPath(each.path)} ${each.code}`).join(), expected, JSON.stringify(change));
});

test("what is sent: trimmed, without what is empty, with constants, hidden values as they were", () => {
  const {root} = spec({
    a: {type: "string"}, b: {type: "string"}, c: {type: "string", const: "v"}, h: {type: "string", airbyte_hidden: true}, hd: {type: "string", airbyte_hidden: true, default: "d"},
    n: {type: "integer"}, t: {type: "array", items: {type: "string"}}, l: {type: "array", items: {type: "object", properties: {x: {type: "string"}}}}, s: {type: "string", airbyte_secret: true},
    o: {type: "object", properties: {p: {type: "string"}}}, z: {type: "boolean"},
  });
  assert.deepEqual(toSend(root, {a: " x ", b: " ", h: "kept", n: 0, t: [" p ", ""], l: [{x: " y ", foreign: 1}], s: MASK, o: {p: ""}, z: false, foreign: 1}),
    {a: "x", c: "v", h: "kept", hd: "d", n: 0, t: ["p"], l: [{x: "y"}], s: MASK, z: false});
});

test("references, and one that leads to itself", () => {
  const {root} = parseSpec({type: "object", properties: {a: {$ref: "#/definitions/t", title: "Mine"}, loop: {$ref: "#/definitions/loop"}},
    definitions: {t: {type: "string", title: "Theirs", minLength: 3}, loop: {type: "object", properties: {again: {$ref: "#/definitions/loop"}}}}});
  const [a] = root.fields;
  assert.deepEqual([a?.title, a?.shortest], ["Mine", 3]);
  assert.equal(parseSpec({properties: {x: {$ref: "#/properties/x"}}}).root.fields.length, 1);
});

test("changes are copies, and only in one place", () => {
  const value: Json = {a: {b: [1, 2]}, c: 1};
  const next = setAt(value, ["a", "b", 1], 9) as JsonObject;
  assert.deepEqual([value, next], [{a: {b: [1, 2]}, c: 1}, {a: {b: [1, 9]}, c: 1}]);
  assert.deepEqual(setAt(value, ["a", "b", 0], undefined), {a: {b: [2]}, c: 1});
  assert.deepEqual(setAt(value, ["c"], undefined), {a: {b: [1, 2]}});
  assert.deepEqual(setAt(undefined, ["x", "y"], 1), {x: {y: 1}});
  assert.equal(getAt(next, ["a", "b", 1]), 9);
  assert.equal(getAt(next, ["c", "none"]), undefined);
});

/** Every branch of every choice, one by one; the others as they begin. */
function* eachBranch(field: Field, at: (string | number)[]): Generator<{ path: (string | number)[]; field: Field; index: number }> {
  for (const [index, branch] of field.branches.entries()) {
    yield {path: at, field, index};
    for (const each of branch.fields) yield* eachBranch(each, [...at, each.name]);
  }
  for (const each of field.fields) yield* eachBranch(each, [...at, each.name]);
}

const folders = (process.env["SPECS"] ?? "").split(":").filter(name => name !== "" && fs.existsSync(name));
for (const folder of folders)
  for (const name of fs.readdirSync(folder).filter(each => each.endsWith(".json")).sort())
    test(`the specification of ${path.basename(name, ".json")}: what it begins with is sent as it is, in every branch`, () => {
      const found = JSON.parse(fs.readFileSync(path.join(folder, name), "utf8")) as JsonObject;
      const inner = (found["spec"] ?? found) as JsonObject;
      const {root} = parseSpec((inner["connectionSpecification"] ?? inner) as JsonObject);
      assert.ok(root.fields.length > 0 || Object.keys((inner["connectionSpecification"] as JsonObject)["properties"] ?? {}).length === 0);
      const first = toSend(root, initialValue(root)) ?? {};
      assert.deepEqual(toSend(root, first) ?? {}, first);
      for (const {path: at, field, index} of eachBranch(root, [])) {
        const switched = setAt(first, at, switchBranch(field, getAt(first, at), index));
        assert.equal(branchOf(field, getAt(switched, at), at, {[keyOfPath(at)]: index}), index);
        for (const problem of validate(root, switched)) assert.ok(["required", "shortest"].includes(problem.code), `${keyOfPath(problem.path)}: ${problem.code}`);
      }
    });
