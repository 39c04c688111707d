// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import {test} from "node:test";
import {makeRequest} from "../../src/lib/api.ts";
import {cell} from "../../src/lib/cell.ts";
import {backoff} from "../../src/lib/event-source.ts";
import {_, chooseLanguage, fmt, ngettext, pgettext, useCatalog} from "../../src/lib/i18n.ts";
import {match} from "../../src/lib/router.ts";
import {scheduleText} from "../../src/lib/schedule.ts";
import {bytes, count, duration, relative} from "../../src/lib/time.ts";
import {afterLogin} from "../../src/lib/addresses.ts";

const op = (method: string, path: string) => ({method, path});

test("a request: names of the path are taken from the input, encoded; the rest is query or body", () => {
  for (const [method, path, input, url, body] of [
    ["GET", "/a/{id}", {id: "x/y z"}, "/a/x%2Fy%20z", null],
    ["GET", "/a/{id}/b", {id: 1, limit: 2, tag: ["p", "q"], none: undefined}, "/a/1/b?limit=2&tag=p&tag=q", null],
    ["DELETE", "/a", {x: "&="}, "/a?x=%26%3D", null],
    ["POST", "/a/{id}", {id: 1, name: "n"}, "/a/1", '{"name":"n"}'],
    ["POST", "/a", undefined, "/a", "{}"],
  ] as const) assert.deepEqual(makeRequest(op(method, path), input), {url, method, body}, url);
});

test("routes match whole addresses", () => {
  for (const [pattern, path, expected] of [
    ["/jobs/:id", "/jobs/7", {id: "7"}], ["/jobs/:id", "/jobs/7/", {id: "7"}], ["/jobs/:id", "/jobs/", null], ["/jobs/:id", "/jobs", null],
    ["/jobs/:id", "/jobs/7/log", null], ["/a/:b/c", "/a/x%2Fy/c", {b: "x/y"}], ["/a/:b", "/a/%E0%A4%A", null], ["/", "/", {}], ["/", "/x", null],
  ] as const) assert.deepEqual(match(pattern, path), expected, `${pattern} ${path}`);
});

test("after a login one stays on this host", () => {
  for (const [next, expected] of [
    [null, "/connections"], ["/jobs/7?x=1", "/jobs/7?x=1"], ["//example.com", "/connections"], ["/\\example.com", "/connections"],
    ["https://example.com", "/connections"], ["javascript:alert(1)", "/connections"], ["/login?next=/x", "/connections"], ["", "/connections"],
  ] as const) assert.equal(afterLogin(next), expected, String(next));
});

test("a cell tells of changes only, and not after the end", () => {
  const source = cell(1), seen: number[] = [];
  const stop = source.subscribe(() => seen.push(source.get()));
  source.set(1);
  source.set(2);
  source.set(2);
  stop();
  source.set(3);
  assert.deepEqual(seen, [2]);
});

test("waits grow, have an end, and are not in step", () => {
  assert.ok(backoff(0, 0) >= 300 && backoff(0, 0.99) <= 700);
  assert.ok(backoff(3, 0.5) > backoff(1, 0.5));
  assert.ok(backoff(1000, 0.99) <= 20_000);
  assert.notEqual(backoff(4, 0.1), backoff(4, 0.9));
});

test("languages: the region goes, the order stays", () => {
  for (const [wanted, expected] of [
    [["de-AT", "en"], "de"], [["fr", "es-MX", "de"], "es"], [["en-US", "de"], "en"], [["pt-BR"], "pt-BR"], [["pt"], "en"], [[], "en"],
  ] as const) assert.equal(chooseLanguage(wanted, ["de", "es", "pt-BR"]), expected, wanted.join());
});

test("texts: translated where there is a translation, with the plural form of the language", () => {
  assert.equal(_("Save"), "Save");
  assert.equal(ngettext("$0 row", "$0 rows", 1, 1), "1 row");
  assert.equal(ngettext("$0 row", "$0 rows", 1234, 1234), "1,234 rows");
  // Polish: 1 | 2…4 but not 12…14 | the others
  const plurals = Array.from({length: 200}, (_x, n) => n === 1 ? 0 : n % 10 >= 2 && n % 10 <= 4 && !(n % 100 >= 12 && n % 100 <= 14) ? 1 : 2).join("");
  useCatalog("pl", {plurals, texts: {Save: "Zapisz", "verb\u0004Run": "Uruchom", "$0 row": ["$0 wiersz", "$0 wiersze", "$0 wierszy"]}});
  assert.equal(_("Save"), "Zapisz");
  assert.equal(pgettext("verb", "Run"), "Uruchom");
  assert.equal(pgettext("noun", "Run"), "Run");
  for (const [n, form] of [[1, "wiersz"], [2, "wiersze"], [5, "wierszy"], [12, "wierszy"], [22, "wiersze"], [201, "wierszy"], [1002, "wiersze"], [1012, "wierszy"]] as const)
    assert.ok(ngettext("$0 row", "$0 rows", n, "x").endsWith(form), String(n));
  useCatalog("en", null);
  assert.equal(fmt("$1 of $0 $2", 1000, "a"), "a of 1,000 ");
});

test("times, numbers and sizes read well", () => {
  const now = Date.UTC(2026, 0, 2);
  for (const [ago, text] of [[0, "now"], [-59_000, "59 seconds ago"], [-3_600_000, "1 hour ago"], [-90_000_000, "yesterday"], [300_000, "in 5 minutes"]] as const)
    assert.equal(relative(now + ago, now), text);
  for (const [ms, text] of [[0, "0s"], [999, "1s"], [61_000, "1m 1s"], [3_600_000, "1h"], [90_061_000, "1d 1h"]] as const) assert.equal(duration(ms), text);
  assert.equal(count(99_999), "99,999");
  assert.equal(count(1_250_000), "1.3M");
  assert.equal(bytes(0), "0 bytes");
  assert.equal(bytes(1_234_567), "1.2 MB");
});

test("schedules in words", () => {
  assert.equal(scheduleText(undefined, undefined), "Manual");
  assert.equal(scheduleText("basic", {basicSchedule: {timeUnit: "hours", units: 1}}), "Every hour");
  assert.equal(scheduleText("basic", {basicSchedule: {timeUnit: "minutes", units: 15}}), "Every 15 minutes");
  assert.equal(scheduleText("cron", {cron: {cronExpression: "0 0 * * * ?", cronTimeZone: "UTC"}}), "Cron 0 0 * * * ?");
});
