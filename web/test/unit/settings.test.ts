// SPDX-License-Identifier: Apache-2.0
import * as assert from "node:assert/strict";
import {test} from "node:test";
import {diskHealth, planeHealth, sortUnits, unitHealth} from "../../src/lib/host.ts";
import {fromChannels, lacking, OCCASIONS, toChannels} from "../../src/lib/notifications.ts";
import {toTheme} from "../../src/lib/preferences.ts";
import {byName, choices, roleText, withAdmins, WORKSPACE_ROLES} from "../../src/lib/roles.ts";

test("notifications: what is read comes back as it was, and what the page does not show stays", () => {
  const stored = {
    sendOnFailure: {notificationType: ["customerio", "slack"], slackConfiguration: {webhook: "https://a.example/1"}},
    sendOnSuccess: {notificationType: []},
    sendOnBreakingChangeWarning: {notificationType: ["customerio"]},
  };
  const channels = toChannels(stored);
  assert.deepEqual(channels.sendOnFailure, {mail: true, webhook: true, url: "https://a.example/1"});
  assert.deepEqual(channels.sendOnSyncDisabled, {mail: false, webhook: false, url: ""});
  const back = fromChannels(channels, stored);
  assert.deepEqual(back["sendOnFailure"], stored.sendOnFailure);
  assert.deepEqual(back["sendOnBreakingChangeWarning"], stored.sendOnBreakingChangeWarning);
  assert.deepEqual(back["sendOnSuccess"], {notificationType: []});
  assert.equal(Object.keys(channels).length, Object.keys(OCCASIONS).length);
});

test("notifications: nonsense in the settings is nothing, an address is kept while its webhook is off", () => {
  for (const settings of [undefined, {}, {sendOnFailure: null}, {sendOnFailure: {notificationType: "slack", slackConfiguration: []}}])
    assert.deepEqual(toChannels(settings).sendOnFailure, {mail: false, webhook: false, url: ""});
  const channels = toChannels({});
  channels.sendOnFailure.url = " https://a.example ";
  assert.deepEqual(fromChannels(channels, {})["sendOnFailure"], {notificationType: [], slackConfiguration: {webhook: "https://a.example"}});
});

test("notifications: a webhook needs an address", () => {
  for (const [url, wrong] of [["", true], ["  ", true], ["ftp://x", true], ["https://", true], ["example.com", true], ["http://x", false], [" https://x/y ", false]] as const) {
    const channels = toChannels({});
    channels.sendOnSuccess = {mail: false, webhook: true, url};
    assert.deepEqual(lacking(channels), wrong ? ["sendOnSuccess"] : [], url);
    channels.sendOnSuccess.webhook = false;
    assert.deepEqual(lacking(channels), []);
  }
});

test("units: what failed stands first", () => {
  const unit = (name: string, activeState: string) => ({name, activeState, loadState: "loaded"});
  const cases = [["failed", "bad"], ["active", "ok"], ["reloading", "ok"], ["activating", "warn"], ["inactive", "off"], ["something new", "off"]] as const;
  for (const [state, health] of cases) assert.equal(unitHealth(unit("x", state)), health, state);
  const sorted = sortUnits([unit("d", "inactive"), unit("b", "active"), unit("a", "active"), unit("c", "failed"), unit("e", "deactivating")]);
  assert.deepEqual(sorted.map(each => each.name), ["c", "e", "a", "b", "d"]);
});

test("disks and data planes: when to worry", () => {
  for (const [free, health] of [[100, "ok"], [11, "ok"], [9, "warn"], [3, "warn"], [2, "bad"], [0, "bad"]] as const)
    assert.equal(diskHealth({totalBytes: 100, freeBytes: free}), health, `${free} %`);
  assert.equal(diskHealth({totalBytes: 0, freeBytes: 0}), "ok");
  const plane = {running: 0, finishedToday: 0, failedToday: 0, lost: 0};
  assert.equal(planeHealth(plane), "off");
  assert.equal(planeHealth({...plane, running: 1}), "ok");
  assert.equal(planeHealth({...plane, running: 1, lost: 1}), "bad");
  assert.equal(planeHealth({...plane, finishedToday: 3, failedToday: 3}), "warn");
  assert.equal(planeHealth({...plane, finishedToday: 3, failedToday: 2}), "ok");
});

test("members: administrators of the instance are there once", () => {
  const members = [{userId: "1", userEmail: "b@x", workspaceId: "w"}];
  const all = withAdmins(members, [{userId: "1", email: "b@x", permissionId: "p"}, {userId: "2", email: "z@x", name: "Ada", permissionId: "q"}], "w");
  assert.deepEqual(all.map(each => [each.userId, each.admin ?? false]), [["1", false], ["2", true]]);
  assert.deepEqual([...all].sort(byName).map(each => each.userId), ["2", "1"]);
});

test("roles: those that can be chosen, and the one that somebody has", () => {
  assert.deepEqual(choices("workspace_reader"), [...WORKSPACE_ROLES]);
  assert.equal(choices("workspace_owner")[0], "workspace_owner");
  assert.equal(new Set(WORKSPACE_ROLES.map(roleText)).size, WORKSPACE_ROLES.length);
});

test("a theme that nobody knows is the system's", () => {
  assert.equal(toTheme("dark"), "dark");
  for (const kept of [null, "", "pink"]) assert.equal(toTheme(kept), "system");
});
