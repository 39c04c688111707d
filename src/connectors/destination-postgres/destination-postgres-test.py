#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Check, tables, names, states, errors: the real program against a real server."""
import json
import os
import select
import signal
import time

from kit_test import catalog, main, record, state, status, stream
from pg_test import column, columns_of, complete, config, indexes_of, pg_stream, psql, schema, tables

USERS = schema(id="integer", name="string")
META = [("_airbyte_raw_id", "character varying", "f"), ("_airbyte_extracted_at", "timestamp with time zone", "f"),
        ("_airbyte_meta", "jsonb", "f"), ("_airbyte_generation_id", "bigint", "f")]


def test_check(c):
    assert c.check(config()).ok().messages[0]["connectionStatus"]["status"] == "SUCCEEDED"
    assert [t for t in tables() if "connection_test" in t] == []
    assert c.check(config(schema="made by check")).ok().messages[0]["connectionStatus"]["status"] == "SUCCEEDED"
    assert column("select 1 from pg_namespace where nspname = 'made_by_check'") == ["1"]


def test_check_without_rights(c):
    psql("create role poor login; create role schema_only login; create schema theirs authorization schema_only;"
         "revoke create on schema public from public")
    text = c.check_fails(config(username="poor"))
    for part in (os.environ["PGHOST"], "port " + os.environ["PGPORT"], "schema 'public'", "permission denied", "grant"):
        assert part in text, text
    text = c.check_fails(config(username="poor", schema="new"))
    assert "creating schema 'new'" in text and "permission denied for database" in text, text
    # Owning the schema is enough: nothing asks for a right on the database.
    status_message = c.check(config(username="schema_only", schema="theirs")).ok().messages[0]["connectionStatus"]
    assert status_message["status"] == "SUCCEEDED", status_message


def test_check_failures(c):
    for more, parts in [
        ({"database": "nope"}, ["database 'nope'", "does not exist", "create the database or correct 'database'"]),
        ({"username": "nobody"}, ["user 'nobody'", "check 'username'"]),
        ({"host": "/nowhere"}, ["/nowhere", "no server listens on that socket"]),
        ({"host": "127.0.0.1", "port": 1}, ["host '127.0.0.1' port 1", "Connection refused", "check 'host' and 'port'"]),
        ({"host": "no-such-host.invalid"}, ["no-such-host.invalid", "check 'host'"]),
        ({"host": ""}, ["configuration.host: must not be empty"]),
        ({"port": "5432"}, ["configuration.port: expected integer"]),
        ({"ssl": False, "ssl_mode": {"mode": "verify-full", "ca_certificate": "x"}},
         ["configuration.ssl: false contradicts ssl_mode 'verify-full'"]),
        ({"ssl_mode": {"mode": "verify-ca"}}, ["configuration.ssl_mode.ca_certificate"]),
        ({"jdbc_url_params": "connectTimeout=soon"}, ["jdbc_url_params: connectTimeout must be a number"]),
        ({"jdbc_url_params": "x"}, ["jdbc_url_params: item 1 is not NAME=VALUE"]),
        ({"jdbc_url_params": "targetServerType=secondary"}, ["cannot connect"]),
        ({"tunnel_method": {"tunnel_method": "SSH_PASSWORD_AUTH", "tunnel_host": "h", "tunnel_port": 22,
                            "tunnel_user": "u", "tunnel_user_password": "p"}},
         ["configuration.tunnel_method: SSH tunnels", "not supported"]),
    ]:
        text = c.check_fails(config(**more))
        for part in parts:
            assert part in text, (part, text)


def test_jdbc_params(c):
    streams = catalog(pg_stream("jdbc", schema=USERS))
    result = c.write(config(jdbc_url_params="ApplicationName=my%20app&prepareThreshold=0&whatever=1"), streams,
                     [record("jdbc", {"id": 1}), *complete("jdbc")]).ok()
    assert result.logs() == ["jdbc_url_params: 'whatever' has no meaning here, ignoring",
                             "stream 'jdbc': 1 records, now in table 'jdbc' in schema 'public'"], result.logs()


def test_table(c):
    kinds = schema(
        s="string", i="integer", n="number", b="boolean", d={"type": "string", "format": "date"},
        tz={"type": "string", "format": "date-time"},
        t={"type": "string", "format": "date-time", "airbyte_type": "timestamp_without_timezone"},
        hz={"type": ["null", "string"], "format": "time"},
        h={"type": "string", "format": "time", "airbyte_type": "time_without_timezone"},
        o={"type": "object", "properties": {}}, a={"type": "array"}, u={"type": ["string", "integer"]},
        one={"oneOf": [{"type": "string"}, {"type": "integer"}]}, any={},
        wk={"$ref": "WellKnownTypes.json#/definitions/TimestampWithoutTimezone"})
    streams = catalog(pg_stream("kinds", "append_dedup", namespace="other", schema=kinds, primary_key=["s", "i"],
                                cursor_field=["tz"]))
    c.write(config(), streams, complete("kinds", namespace="other")).ok()
    expected = ["character varying", "bigint", "numeric", "boolean", "date", "timestamp with time zone",
                "timestamp without time zone", "time with time zone", "time without time zone", *["jsonb"] * 5,
                "timestamp without time zone"]
    assert columns_of("kinds", "other") == META + [(n, t, "t") for n, t in zip(kinds["properties"], expected)]
    assert indexes_of("kinds", "other") == {
        "idx_pk_kinds": "(s, i)", "idx_cursor_kinds": "(tz)", "idx_extracted_at_kinds": "(_airbyte_extracted_at)"}
    assert tables("other") == ["kinds"]


def test_names(c):
    fields = ["id", "Id", "ID_1", "a b", "a-b", "ctid", "xmin", "tableoid", "select", "1st", "", "été", "数据",
              'q"uote', "_airbyte_raw_id", "_airbyte_meta", "k" * 80, "K" * 80]
    streams = catalog(pg_stream("1 näme", schema=schema(**{f: "string" for f in fields})),
                      pg_stream("1-näme", schema=USERS), pg_stream("x" * 70, schema=USERS))
    c.write(config(), streams, [record("1 näme", {f: str(i) for i, f in enumerate(fields)}), *complete("1 näme")]).ok()
    got = columns_of("_1_name")[4:]
    assert [n for n, _, _ in got[:16]] == [
        "id", "Id_1", "ID_1_1", "a_b", "a_b_1", "ctid_", "xmin_", "tableoid_", "select", "_1st", "default_name",
        "ete", "__", "q_uote", "_airbyte_raw_id_1", "_airbyte_meta_1"], got
    assert len({n.lower() for n, _, _ in got}) == len(fields)
    row = json.loads(column("select to_jsonb(t) from _1_name t")[0])
    assert [row[n] for n, _, _ in got] == [str(i) for i in range(len(fields))]
    others = [t for t in tables() if t.startswith("_1_name_") or t.startswith("xxx")]
    assert len(others) == 2 and {len(t) for t in others} == {len("_1_name_") + 3, 63}, others


def test_long_names_keep_their_indexes(c):
    names = ["t" * 62 + "a", "t" * 62 + "b"]
    streams = [pg_stream(n, "append_dedup", schema=USERS, primary_key=["id"], cursor_field=["id"]) for n in names]
    c.write(config(), catalog(*streams), [m for n in names for m in (record(n, {"id": 1}), *complete(n))]).ok()
    for name in names:
        assert len(indexes_of(name)) == 3, indexes_of(name)


def test_schema_errors(c):
    for bad, text in [
        (pg_stream("e", "append_dedup", schema=USERS), "stream 'e': append_dedup needs a primary key"),
        (pg_stream("e", "append_dedup", schema=USERS, primary_key=["nope"]), "the schema has no property 'nope'"),
        (pg_stream("e", "append", generation=5, minimum=3, schema=USERS), "minimum_generation_id"),
        (pg_stream("e", "update", schema=USERS), "append, overwrite and append_dedup"),
    ]:
        error = c.write(config(), catalog(bad), []).error()
        assert text in error["message"] and error["failure_type"] == "config_error", error
    psql("create table mine (x int); create view seen as select 1 as x")
    for name, text in (("mine", "was not made by a sync"), ("seen", "is no table")):
        error = c.write(config(), catalog(pg_stream(name, schema=USERS)), []).error()
        assert text in error["message"] and f"'{name}' in schema 'public'" in error["message"], error
        assert error["failure_type"] == "config_error", error
    # No mode may touch them, least of all the one that would replace them.
    for kind, more in (("append", {"generation": 1, "minimum": 1}), ("append_dedup", {"primary_key": ["id"]}),
                       ("append_dedup", {"primary_key": ["id"], "generation": 1, "minimum": 1})):
        for name in ("mine", "seen"):
            c.write(config(), catalog(pg_stream(name, kind, schema=USERS, **more)), complete(name)).error()
    assert columns_of("mine") == [("x", "integer", "t")] and column("select x from seen") == ["1"]


def test_states_wait_for_their_rows(c):
    streams = catalog(pg_stream("s1", schema=USERS), pg_stream("s2", schema=USERS))
    odd = b'{ "type":"STATE","state":{"type":"GLOBAL","global":{"stream_states":[]},"x":1.50}}'
    with c.popen(*c.args("write", config(), streams)) as process:
        send = lambda *m: (process.stdin.write(b"".join(json.dumps(x).encode() + b"\n" for x in m)), process.stdin.flush())
        for i in range(50):
            send(record("s1", {"id": i}), record("s2", {"id": i}))
        send(state("s1", {"n": 1}))
        process.stdin.write(odd + b"\n")
        send(record("s2", {"id": 99}))
        ready, _, _ = select.select([process.stdout], [], [], 5)
        assert ready, "no acknowledgement while the input is quiet"
        assert json.loads(process.stdout.readline())["state"]["stream"]["stream_state"] == {"n": 1}
        assert process.stdout.readline() == odd + b"\n"
        assert column("select count(*) from s1 union all select count(*) from s2") == ["50", "51"]
        send(record("s1", {"id": 100}), state("s1", {"n": 2}))
        process.stdin.close()
        rest = [line for line in process.stdout.read().splitlines() if b'"STATE"' in line]
        assert process.wait() == 0 and len(rest) == 1, rest
    assert column("select count(*) from s1") == ["51"]


def test_sigterm_commits_what_came(c):
    with c.popen(*c.args("write", config(), catalog(pg_stream("term", schema=USERS)))) as process:
        for i in range(10):
            process.stdin.write(json.dumps(record("term", {"id": i})).encode() + b"\n")
        process.stdin.write(json.dumps(state("term", {"n": 10})).encode() + b"\n")
        process.stdin.flush()
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        out = process.stdout.read()
        assert process.wait() == 143
    assert json.loads(out)["state"]["stream"]["stream_state"] == {"n": 10}
    assert column("select count(*) from term") == ["10"]


def test_many_streams_interleaved(c):
    names = [f"m{i}" for i in range(20)]
    streams = catalog(*[pg_stream(n, schema=USERS) for n in names])
    rows = [record(n, {"id": i, "name": "x" * 100}) for i in range(2000) for n in names]
    c.write(config(), streams, [*rows, *[m for n in names for m in complete(n)]]).ok()
    for name in names:
        assert psql(f"select count(*), count(distinct id), count(distinct _airbyte_raw_id) from {name}") == [["2000"] * 3]


def test_lost_connection_is_transient(c):
    with c.popen(*c.args("write", config(), catalog(pg_stream("lost", schema=USERS)))) as process:
        process.stdin.write(json.dumps(record("lost", {"id": 1})).encode() + b"\n")
        process.stdin.flush()
        deadline = time.monotonic() + 10
        while not column("select 1 from pg_stat_activity where application_name = 'sluice'"):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        column("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'sluice'")
        process.stdin.write(json.dumps(state("lost", {"n": 1})).encode() + b"\n")
        process.stdin.close()
        messages = [json.loads(line) for line in process.stdout.read().splitlines()]
        assert process.wait() == 1
    assert [m["type"] for m in messages] == ["TRACE"], messages
    assert messages[0]["trace"]["error"]["failure_type"] == "transient_error", messages


def test_one_streams_failure_leaves_the_others(c):
    psql("create table f1 (_airbyte_raw_id varchar not null, _airbyte_extracted_at timestamptz not null,"
         "_airbyte_meta jsonb not null, _airbyte_generation_id bigint, id bigint, name varchar);"
         "insert into f1 values ('r', now(), '{}', 0, 1, 'abc'); create view uses_f1 as select name from f1")
    streams = catalog(*[pg_stream(n, "overwrite", generation=1, minimum=1, schema=USERS) for n in ("f1", "f2")])
    messages = [m for n in ("f1", "f2") for m in (record(n, {"id": 2}), *complete(n))]
    result = c.write(config(), streams, messages)
    error = result.error()
    assert "stream 'f1'" in error["message"] and "drop_cascade" in error["message"], error
    assert error["failure_type"] == "config_error" and len(result.states()) == 2
    assert column("select id from f1") == ["1"] and column("select id from f2") == ["2"]
    # The rows wait; with the right to drop the view they get into place without being sent again.
    c.write(config(drop_cascade=True), streams, [status("f1", "COMPLETE"), status("f2", "COMPLETE")]).ok()
    assert column("select id from f1") == ["2"] and column("select id from f2") == ["2"]


def test_bad_records(c):
    streams = catalog(pg_stream("bad", schema=USERS))
    error = c.write(config(), streams, [record("bad", {"id": 1}), state("bad", {"n": 1}),
                                        b'{"type":"RECORD","record":{"stream":"bad","data":{"id" 1},"emitted_at":1}}\n']).error()
    assert error["message"] == "stream 'bad': record data is not a valid JSON object", error


def test_limits_of_the_server(c):
    wide = schema(**{f"column_{i}": "string" for i in range(1700)})
    error = c.write(config(), catalog(pg_stream("wide", schema=wide)), []).error()
    assert "stream 'wide'" in error["message"] and "1600 columns" in error["message"], error
    assert error["failure_type"] == "config_error"
    error = c.write(config(), catalog(pg_stream("reserved", namespace="pg_mine", schema=USERS)), []).error()
    assert "creating schema 'pg_mine'" in error["message"] and error["failure_type"] == "config_error", error
    # A row that the table refuses names its stream.
    psql("create table strict (_airbyte_raw_id varchar not null, _airbyte_extracted_at timestamptz not null, _airbyte_meta "
         "jsonb not null, _airbyte_generation_id bigint, id bigint check (id < 10), name varchar)")
    result = c.write(config(), catalog(pg_stream("strict", schema=USERS)), [record("strict", {"id": 11}), *complete("strict")])
    assert "stream 'strict'" in result.error()["message"] and "check constraint" in result.error()["message"]
    assert result.states() == [] and column("select count(*) from strict") == ["0"]


def test_raw_tables(c):
    streams = catalog(pg_stream("Raw", "append_dedup", schema=USERS, primary_key=["id"]))
    result = c.write(config(disable_type_dedupe=True, raw_data_schema="Raws"), streams,
                     [record("Raw", {"id": 1, "name": None, "more": {"x": [1.50, None]}}), *complete("Raw")]).ok()
    assert "are not deduplicated" in result.logs()[0]
    table = "raws.public_raw__stream_raw"
    assert psql(f"select _airbyte_data, _airbyte_loaded_at from {table}") == [
        ['{"id": 1, "more": {"x": [1.5, null]}}', None]]
    assert columns_of("public_raw__stream_raw", "raws")[4:] == [
        ("_airbyte_loaded_at", "timestamp with time zone", "t"), ("_airbyte_data", "jsonb", "f")]


main(globals())
