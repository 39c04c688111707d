#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Append, overwrite, dedup and truncating refreshes over generations, attempts and crashes."""
import json
import random
import signal
import subprocess
import time

from kit_test import catalog, main, record, state, status
from pg_test import column, columns_of, complete, config, indexes_of, pg_stream, psql, schema, tables

ITEM = schema(id="integer", at="integer", name="string")
CDC = schema(id="integer", at="integer", name="string", _ab_cdc_deleted_at={"type": "string", "format": "date-time"})
INDEXES = {"idx_pk_{}": "(id)", "idx_cursor_{}": '(at)', "idx_extracted_at_{}": "(_airbyte_extracted_at)"}


def append(name, **more):
    return catalog(pg_stream(name, "append", schema=ITEM, **more))


def dedup(name, cursor=True, inner=ITEM, **more):
    if cursor:
        more["cursor_field"] = ["at"]
    return catalog(pg_stream(name, "append_dedup", schema=inner, primary_key=["id"], **more))


def row(name, key, at, text, extracted=1700000000000, **more):
    return record(name, {"id": key, "at": at, "name": text, **more}, emitted_at=extracted)


def rows(name, columns="id, at, name"):
    return psql(f"select {columns} from {name} order by id, name")


def no_strays():
    return [t for t in tables() if len(t) > 40] == []


def test_append_keeps_generations(c):
    for generation in (0, 1, 1):
        c.write(config(), append("g_append", generation=generation), [row("g_append", 1, 1, "x"), *complete("g_append")]).ok()
    assert column("select _airbyte_generation_id from g_append order by 1") == ["0", "1", "1"]
    assert indexes_of("g_append") == {"idx_extracted_at_g_append": "(_airbyte_extracted_at)"}


def test_append_of_a_failed_attempt(c):
    c.write(config(), append("g_part"), [row("g_part", 1, 1, "x"), state("g_part", {"n": 1})]).ok()
    assert column("select count(*) from g_part") == ["1"] and len(indexes_of("g_part")) == 1


def test_overwrite(c):
    name = "g_over"
    for generation, keys in ((1, [1, 2]), (2, [3]), (3, [])):
        c.write(config(), append(name, generation=generation, minimum=generation),
                [*[row(name, k, 1, "x") for k in keys], *complete(name)]).ok()
        assert column(f"select id from {name} order by id") == [str(k) for k in keys], generation
        assert no_strays()
        assert indexes_of(name) == {f"idx_extracted_at_{name}": "(_airbyte_extracted_at)"}, indexes_of(name)
        assert column(f"select obj_description('{name}'::regclass)") == [None]


def test_overwrite_waits_for_complete(c):
    name = "g_wait"
    c.write(config(), append(name, generation=1, minimum=1), [row(name, 1, 1, "old"), *complete(name)]).ok()
    new = append(name, generation=2, minimum=2, sync=7)
    # INCOMPLETE: acknowledged, the old generation stays, the new one waits under a mark.
    result = c.write(config(), new, [row(name, 2, 1, "new"), state(name, {"n": 1}), status(name, "INCOMPLETE")]).ok()
    assert len(result.states()) == 1 and rows(name) == [["1", "1", "old"]]
    temp = [t for t in tables() if t.startswith("publicg_wait")]
    assert len(temp) == 1 and column(f"select name from {temp[0]}") == ["new"]
    assert column(f"select obj_description('{temp[0]}'::regclass)") == ["sluice: rows on their way, sync 7, generation 2"]
    # The input just ends: failure, nothing lost.
    result = c.write(config(), new, [row(name, 3, 1, "new"), state(name, {"n": 2})])
    assert "without a COMPLETE" in result.error()["message"] and len(result.states()) == 1
    assert rows(name) == [["1", "1", "old"]]
    # The attempt that completes has all of them.
    c.write(config(), new, [row(name, 4, 1, "new"), *complete(name)]).ok()
    assert column(f"select id from {name} order by id") == ["2", "3", "4"] and no_strays()


def test_older_temporary_tables_go(c):
    name = "g_stale"
    c.write(config(), append(name, generation=1, minimum=1), [row(name, 1, 1, "old"), *complete(name)]).ok()
    c.write(config(), append(name, generation=2, minimum=2), [row(name, 2, 1, "stale"), status(name, "INCOMPLETE")]).ok()
    c.write(config(), append(name, generation=3, minimum=3), [row(name, 3, 1, "new"), *complete(name)]).ok()
    assert rows(name) == [["3", "1", "new"]] and no_strays()


def test_left_overs_join_an_append(c):
    name = "g_join"
    c.write(config(), append(name, generation=1, minimum=1), [row(name, 1, 1, "old"), *complete(name)]).ok()
    c.write(config(), append(name, generation=2, minimum=2), [row(name, 2, 1, "acked"), status(name, "INCOMPLETE")]).ok()
    c.write(config(), append(name, generation=2), [row(name, 3, 1, "new"), *complete(name)]).ok()
    assert column(f"select id from {name} order by id") == ["1", "2", "3"] and no_strays()


def test_overwrite_without_ids(c):
    """An old platform: no generations at all."""
    name = "g_plain"
    streams = append(name)
    for key in ("generation_id", "minimum_generation_id", "sync_id"):
        del streams["streams"][0][key]
    streams["streams"][0]["destination_sync_mode"] = "overwrite"
    c.write(config(), streams, [row(name, 1, 1, "a"), *complete(name)]).ok()
    c.write(config(), streams, [row(name, 2, 1, "b"), status(name, "INCOMPLETE")]).ok()
    c.write(config(), streams, [row(name, 3, 1, "c"), *complete(name)]).ok()
    assert rows(name) == [["3", "1", "c"]] and no_strays()


def test_dedup(c):
    name = "g_dedup"
    c.write(config(), dedup(name), [
        row(name, 1, 1, "a"), row(name, 1, 3, "c"), row(name, 1, 2, "b"),  # by cursor, not by arrival
        row(name, 2, 5, "x", 1700000000001), row(name, 2, 5, "y", 1700000000002),  # by time
        row(name, 3, 1, "first"), row(name, 3, 1, "last"),  # by arrival
        row(name, 4, None, "null"), row(name, 4, 1, "set"),  # nulls last
        *complete(name)]).ok()
    assert rows(name) == [["1", "3", "c"], ["2", "5", "y"], ["3", "1", "last"], ["4", "1", "set"]]
    assert indexes_of(name) == {k.format(name): v for k, v in INDEXES.items()} and no_strays()
    later = 1700000001000
    c.write(config(), dedup(name), [
        row(name, 1, 2, "older cursor", later), row(name, 2, 5, "equal cursor, later", later),
        row(name, 3, 1, "all equal"), row(name, 4, None, "null cursor", later), row(name, 5, None, "new"),
        *complete(name)]).ok()
    assert rows(name) == [["1", "3", "c"], ["2", "5", "equal cursor, later"], ["3", "1", "last"], ["4", "1", "set"],
                          ["5", None, "new"]]
    c.write(config(), dedup(name), [row(name, 5, 1, "value over null"), *complete(name)]).ok()
    assert rows(name)[4] == ["5", "1", "value over null"]


def test_redelivery_changes_nothing(c):
    name = "g_again"
    messages = [*[row(name, k, 1, "x") for k in range(100)], *complete(name)]
    c.write(config(), dedup(name), messages).ok()
    before = psql(f"select id, _airbyte_raw_id from {name} order by id")
    c.write(config(), dedup(name), messages).ok()
    assert psql(f"select id, _airbyte_raw_id from {name} order by id") == before
    # With a view on it the table stays the table, and its rows are not even touched.
    psql(f"create view v_again as select id from {name}")
    before = psql(f"select id, _airbyte_raw_id, ctid from {name} order by id")
    c.write(config(), dedup(name), messages).ok()
    assert psql(f"select id, _airbyte_raw_id, ctid from {name} order by id") == before


def test_dedup_without_cursor_and_with_nulls(c):
    name = "g_nocur"
    c.write(config(), dedup(name, cursor=False), [
        row(name, 1, 9, "a", 1700000000005), row(name, 1, 1, "b", 1700000000001), row(name, None, 1, "n"),
        *complete(name)]).ok()
    c.write(config(), dedup(name, cursor=False), [
        row(name, 1, 1, "c", 1700000000006), row(name, None, 1, "n2", 1700000000006), *complete(name)]).ok()
    # A row without a key never meets another one.
    assert rows(name) == [["1", "1", "c"], [None, "1", "n"], [None, "1", "n2"]]
    composite = catalog(pg_stream("g_comp", "append_dedup", schema=ITEM, primary_key=["id", "at"]))
    c.write(config(), composite, [row("g_comp", 1, 1, "a"), row("g_comp", 1, 2, "b"), row("g_comp", 1, 1, "c", 1700000000001),
                                  *complete("g_comp")]).ok()
    assert rows("g_comp") == [["1", "2", "b"], ["1", "1", "c"]]


def test_deletions(c):
    gone = "2024-01-01T00:00:00Z"
    first = [[1, 1, "a"], [2, 1, "b"], [3, 1, "c"]]
    second = [(1, 2, None, gone), (2, 2, "b2", None), (9, 2, None, gone), (3, 2, None, gone), (3, 3, "again", None),
              (4, 1, "made", None), (4, 2, None, gone)]
    results = {}
    for name, mode in (("g_hard", "Hard delete"), ("g_soft", "Soft delete")):
        streams = dedup(name, inner=CDC)
        c.write(config(cdc_deletion_mode=mode), streams, [*[row(name, *r) for r in first], *complete(name)]).ok()
        c.write(config(cdc_deletion_mode=mode), streams, [
            *[row(name, k, at, text, _ab_cdc_deleted_at=deleted) for k, at, text, deleted in second], *complete(name)]).ok()
        results[name] = psql(f"select id, at, name, _ab_cdc_deleted_at is not null from {name} order by id")
    assert results["g_hard"] == [["2", "2", "b2", "f"], ["3", "3", "again", "f"]], results
    assert results["g_soft"] == [["1", "2", None, "t"], ["2", "2", "b2", "f"], ["3", "3", "again", "f"],
                                 ["4", "2", None, "t"], ["9", "2", None, "t"]], results
    # In append mode a tombstone is a row like any other.
    c.write(config(), catalog(pg_stream("g_tomb", schema=CDC)), [row("g_tomb", 1, 1, None, _ab_cdc_deleted_at=gone),
                                                                 *complete("g_tomb")]).ok()
    assert column("select count(*) from g_tomb") == ["1"]


def test_dedup_of_a_failed_attempt(c):
    """What is acknowledged gets into the table, whatever becomes of the source."""
    name = "g_fail"
    c.write(config(), dedup(name), [row(name, 1, 1, "a"), state(name, {"n": 1})]).ok()
    assert rows(name) == [["1", "1", "a"]] and no_strays()


def test_truncating_dedup(c):
    name = "g_trunc"
    c.write(config(), dedup(name, generation=0), [row(name, 1, 1, "a"), row(name, 2, 1, "b"), *complete(name)]).ok()
    new = dedup(name, generation=1, minimum=1)
    c.write(config(), new, [row(name, 3, 1, "c"), row(name, 3, 2, "d"), status(name, "INCOMPLETE")]).ok()
    assert column(f"select id from {name} order by id") == ["1", "2"]
    c.write(config(), new, [row(name, 4, 1, "e"), *complete(name)]).ok()
    assert rows(name) == [["3", "2", "d"], ["4", "1", "e"]] and no_strays()
    assert indexes_of(name) == {k.format(name): v for k, v in INDEXES.items()}
    # The same generation again: an attempt after the swap adds to it.
    c.write(config(), new, [row(name, 4, 2, "f"), *complete(name)]).ok()
    assert rows(name) == [["3", "2", "d"], ["4", "2", "f"]]
    c.write(config(), dedup(name, generation=2, minimum=2), complete(name)).ok()
    assert rows(name) == [] and no_strays()


def test_modes_may_change(c):
    name = "g_modes"
    c.write(config(), append(name), [row(name, 1, 1, "a"), row(name, 1, 1, "b"), *complete(name)]).ok()
    c.write(config(), dedup(name), [row(name, 1, 2, "c"), *complete(name)]).ok()
    assert rows(name) == [["1", "2", "c"]]
    assert len(indexes_of(name)) == 3
    changed = catalog(pg_stream(name, "append_dedup", schema=ITEM, primary_key=["at"], cursor_field=["id"]))
    c.write(config(), changed, [row(name, 2, 2, "d"), *complete(name)]).ok()
    assert indexes_of(name)[f"idx_pk_{name}"] == "(at)" and indexes_of(name)[f"idx_cursor_{name}"] == "(id)"


def newer(new, old):
    """The rule for two rows of a key, each (cursor, time)."""
    (a, when_a), (b, when_b) = new, old
    if b is None:
        return a is not None or when_a > when_b
    return a is not None and (a > b or (a == b and when_a > when_b))


def model_sync(table, batch, hard):
    """batch: (key, cursor, text, extracted, deleted) in order of arrival; table: key -> the same."""
    best = {}
    for entry in batch:
        key, cursor, _, extracted, _ = entry
        have = best.get(key)
        rank = (cursor is not None, cursor or 0, extracted)
        if have is None or rank >= (have[1] is not None, have[1] or 0, have[3]):
            best[key] = entry
    for key, entry in best.items():
        old = table.get(key)
        if old is not None and not newer((entry[1], entry[3]), (old[1], old[3])):
            continue
        table.pop(key, None)
        if not (hard and entry[4]):
            table[key] = entry


def test_random_batches_against_a_model(c):
    """The same batches into a plain table (which is written anew when that pays), into one that a view
    hangs on (which is not), and into a model."""
    rng = random.Random(20261122)
    for mode in ("Hard delete", "Soft delete"):
        names = [f"r_{mode[:4].lower()}_{k}" for k in ("plain", "view")]
        model, oids = {}, {n: set() for n in names}
        for step in range(8):
            batch = [(rng.randrange(60), rng.choice([None, 1, 2, 3, 4, 5]), f"{step}.{i}", 1700000000000 + rng.randrange(5),
                      rng.random() < 0.2) for i in range(rng.choice([3, 40, 150]))]
            model_sync(model, batch, mode == "Hard delete")
            for name in names:
                c.write(config(cdc_deletion_mode=mode), dedup(name, inner=CDC), [
                    *[row(name, k, at, text, extracted, _ab_cdc_deleted_at="2024-01-01T00:00:00Z" if gone else None)
                      for k, at, text, extracted, gone in batch], *complete(name)]).ok()
                got = {int(k): text for k, text in psql(f"select id, name from {name}")}
                assert got == {k: e[2] for k, e in model.items()}, (mode, step, name)
                assert column(f"select count(*) from {name}") == [str(len(model))] and no_strays()
                oids[name].add(column(f"select '{name}'::regclass::oid")[0])
                assert len(indexes_of(name)) == 3
            if step == 0:
                psql(f"create view on_{names[1]} as select id from {names[1]}")
        # Both ways were gone.
        assert len(oids[names[0]]) > 1 and len(oids[names[1]]) == 1, oids


def test_what_hangs_on_a_table_stays(c):
    """Each of these alone keeps a deduplicated table from being written anew."""
    psql("create role reader")
    for i, sql in enumerate(["grant select on {} to reader", "create index on {} (name)", "comment on table {} is 'mine'",
                             "create publication p for table {} with (publish = 'insert')", "alter table {} set (fillfactor = 90)",
                             "alter table {} replica identity full", "alter table {} enable row level security",
                             "alter table {} add constraint k check (id < 1000)", "grant select (id) on {} to reader"]):
        name = f"h_{i}"
        c.write(config(), dedup(name), [row(name, 1, 1, "a"), *complete(name)]).ok()
        psql(sql.format(name))
        before = column(f"select '{name}'::regclass::oid")
        c.write(config(), dedup(name), [row(name, 1, 2, "b"), *complete(name)]).ok()
        assert column(f"select '{name}'::regclass::oid") == before, sql
        assert rows(name) == [["1", "2", "b"]]


def run_until_killed(c, streams, messages, expect_states):
    """kill -9 once so many states were acknowledged."""
    with c.popen(*c.args("write", config(), streams)) as process:
        process.stdin.write(b"".join(json.dumps(m).encode() + b"\n" for m in messages))
        process.stdin.flush()
        states = [json.loads(process.stdout.readline()) for _ in range(expect_states)]
        process.send_signal(signal.SIGKILL)
        process.wait()
    deadline = time.monotonic() + 10  # the server notices a dead client only by and by
    while column("select 1 from pg_stat_activity where application_name = 'sluice'"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return states


def test_killed_while_copying(c):
    for kind, name in (("append", "k_append"), ("dedup", "k_dedup"), ("over", "k_over")):
        streams = dedup(name) if kind == "dedup" else append(name, generation=1, minimum=1 if kind == "over" else 0)
        if kind == "over":
            c.write(config(), append(name, generation=0), [row(name, 999, 1, "old"), *complete(name)]).ok()
        acked = [row(name, k, 1, "x") for k in range(1000)] + [state(name, {"n": 1000})]
        unacked = [row(name, k, 1, "y") for k in range(1000, 1500)]
        assert len(run_until_killed(c, streams, acked + unacked, 1)) == 1
        # The next attempt starts behind the acknowledged state.
        c.write(config(), streams, [*unacked, *complete(name)]).ok()
        got = [int(k) for k in column(f"select id from {name}")]
        assert set(got) == set(range(1500)), kind
        # Appending is at least once: what was committed with the state may come twice.
        assert kind == "append" or len(got) <= 2000
        assert kind != "dedup" or len(got) == 1500
        assert no_strays()


def test_killed_around_the_swap(c):
    """A lock on the old table holds the swap back: killed before it, then the attempt is repeated."""
    name = "k_swap"
    c.write(config(), append(name, generation=1, minimum=1), [row(name, 1, 1, "old"), *complete(name)]).ok()
    new = append(name, generation=2, minimum=2)
    holder_sql = f"begin; lock table {name} in access share mode; select pg_sleep(20)"
    holder = subprocess.Popen(["psql", "-XAtqc", holder_sql])
    while not column(f"select 1 from pg_locks where relation = '{name}'::regclass and mode = 'AccessShareLock' and granted "
                     "and pid <> pg_backend_pid()"):
        time.sleep(0.02)
    with c.popen(*c.args("write", config(), new)) as process:
        process.stdin.write(b"".join(json.dumps(m).encode() + b"\n" for m in [row(name, 2, 1, "new"), *complete(name)]))
        process.stdin.close()
        assert json.loads(process.stdout.readline())["type"] == "STATE"
        while not column(f"select 1 from pg_locks where relation = '{name}'::regclass and not granted"):
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
    column("select pg_terminate_backend(pid) from pg_stat_activity where query like '%drop table%' and pid <> pg_backend_pid()")
    holder.kill()
    holder.wait()
    column(f"select pg_terminate_backend(pid) from pg_locks where relation = '{name}'::regclass and pid <> pg_backend_pid()")
    assert rows(name) == [["1", "1", "old"]]
    # All rows were acknowledged: the source sends nothing but its status.
    c.write(config(), new, [status(name, "COMPLETE")]).ok()
    assert rows(name) == [["2", "1", "new"]] and no_strays()
    # After the swap the attempt may come again: nothing is lost, nothing swapped away.
    c.write(config(), new, [status(name, "COMPLETE")]).ok()
    assert rows(name) == [["2", "1", "new"]]


def test_three_swaps_keep_the_index_names(c):
    name = "g_swaps"
    for generation in range(1, 5):
        c.write(config(), dedup(name, generation=generation, minimum=generation),
                [row(name, generation, 1, "x"), *complete(name)]).ok()
    assert indexes_of(name) == {k.format(name): v for k, v in INDEXES.items()} and rows(name) == [["4", "1", "x"]]


main(globals())
