#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A stream's schema changes, and tables of other origin are met."""
from kit_test import catalog, main, record, status
from pg_test import column, columns_of, complete, config, pg_stream, psql, schema


def sync(c, name, inner, *data, kind="append", conf=None, **more):
    streams = catalog(pg_stream(name, kind, schema=inner, **more))
    return c.write(conf or config(), streams, [*[record(name, d) for d in data], *complete(name)])


def user_columns(name):
    return [(n, t) for n, t, _ in columns_of(name)[4:]]


def test_add_and_drop(c):
    sync(c, "e_add", schema(a="string", b="integer"), {"a": "1", "b": 1}).ok()
    sync(c, "e_add", schema(b="integer", c="boolean"), {"b": 2, "c": True}).ok()
    assert user_columns("e_add") == [("b", "bigint"), ("c", "boolean")]
    assert psql("select b, c from e_add order by b") == [["1", None], ["2", "t"]]


def test_retypes(c):
    stamp = {"type": "string", "format": "date-time"}
    for name, before, data, after, more, expected in [
        ("e_int_text", "integer", 7, "string", "x", ["7", "x"]),
        ("e_text_int", "string", "7", "integer", 8, ["7", "8"]),
        ("e_int_num", "integer", 7, "number", 8.5, ["7", "8.5"]),
        ("e_text_json", "string", 'a"b', {"type": ["string", "object"]}, {"k": 1}, ['"a\\"b"', '{"k": 1}']),
        ("e_json_text", {"type": ["string", "object"]}, "plain", "string", "x", ["plain", "x"]),
        ("e_json_int", {"type": ["string", "integer"]}, 5, "integer", 6, ["5", "6"]),
        ("e_text_stamp", "string", "2024-01-01T00:00:00Z", stamp, "2024-01-02T00:00:00Z",
         ["2024-01-01 00:00:00+00", "2024-01-02 00:00:00+00"]),
        ("e_bool_json", "boolean", True, {}, False, ["true", "false"]),
    ]:
        sync(c, name, schema(v=before), {"v": data}).ok()
        sync(c, name, schema(v=after), {"v": more}).ok()
        assert sorted(column(f"select v::text from {name}")) == sorted(expected), (name, column(f"select v from {name}"))


def test_a_cast_that_fails(c):
    sync(c, "e_cast", schema(v="string"), {"v": "abc"}).ok()
    error = sync(c, "e_cast", schema(v="integer"), {"v": 1}).error()
    assert error["failure_type"] == "config_error" and "changing the columns of table 'e_cast'" in error["message"], error
    assert "invalid input syntax" in error["message"] and column("select v from e_cast") == ["abc"]


def test_views(c):
    sync(c, "e_view", schema(a="string", b="string"), {"a": "1", "b": "2"}).ok()
    psql("create view e_seen as select b from e_view")
    error = sync(c, "e_view", schema(a="string")).error()
    assert "drop_cascade" in error["message"] and error["failure_type"] == "config_error", error
    sync(c, "e_view", schema(a="string"), conf=config(drop_cascade=True)).ok()
    assert user_columns("e_view") == [("a", "character varying")]


def test_old_tables(c):
    """Of older versions of the public connector: no meta, no or a nullable generation."""
    psql("create table e_old (_airbyte_raw_id varchar not null, _airbyte_extracted_at timestamptz not null, "
         "id bigint, price numeric(38,9)); insert into e_old values ('r', now(), 1, 1.5)")
    sync(c, "e_old", schema(id="integer", price="number"), {"id": 2, "price": 2.25}).ok()
    assert psql("select id, price, _airbyte_generation_id, _airbyte_meta->>'changes' from e_old order by id") == [
        ["1", "1.500000000", "0", "[]"], ["2", "2.250000000", "0", "[]"]]
    psql("create table e_older (_airbyte_raw_id varchar not null, _airbyte_extracted_at timestamptz not null, "
         "_airbyte_meta jsonb not null, _airbyte_generation_id bigint, id bigint not null);"
         "insert into e_older values ('r', now(), '{}', null, 1)")
    sync(c, "e_older", schema(id="integer"), {}, generation=3, minimum=3).ok()
    assert column("select id from e_older") == [None]


def test_columns_in_another_order(c):
    psql("create table e_order (b varchar, _airbyte_generation_id bigint, _airbyte_meta jsonb not null, a bigint, "
         "_airbyte_extracted_at timestamptz not null, _airbyte_raw_id varchar not null)")
    sync(c, "e_order", schema(a="integer", b="string"), {"a": 1, "b": "x"}).ok()
    assert psql("select a, b from e_order") == [["1", "x"]]


def test_dedup_and_waiting_rows_follow(c):
    keyed = {"kind": "append_dedup", "primary_key": ["id"]}
    sync(c, "e_dedup", schema(id="integer", v="integer"), {"id": 1, "v": 1}, **keyed).ok()
    sync(c, "e_dedup", schema(id="integer", v="string", w="string"), {"id": 2, "v": "x", "w": "y"}, **keyed).ok()
    assert psql("select id, v, w from e_dedup order by id") == [["1", "1", None], ["2", "x", "y"]]
    # Rows that wait in a temporary table get the new columns too.
    sync(c, "e_wait", schema(v="integer"), {"v": 0}, generation=1, minimum=1).ok()
    streams = catalog(pg_stream("e_wait", schema=schema(v="integer"), generation=2, minimum=2))
    c.write(config(), streams, [record("e_wait", {"v": 1}), status("e_wait", "INCOMPLETE")]).ok()
    sync(c, "e_wait", schema(v="string", w="string"), {"v": "2", "w": "w"}, generation=2, minimum=2).ok()
    assert psql("select v, w from e_wait order by v") == [["1", None], ["2", "w"]]


main(globals())
