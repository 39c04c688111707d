#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What becomes of every kind of value in every kind of column, as the server shows it afterwards."""
import json

from kit_test import catalog, main, record
from pg_test import changes, column, complete, config, pg_stream, psql

BAD = ("NULLED", "DESTINATION_SERIALIZATION_ERROR")
BIG = ("NULLED", "DESTINATION_FIELD_SIZE_LIMITATION")
CUT = ("TRUNCATED", "DESTINATION_SERIALIZATION_ERROR")


def raw(name, text):
    """A record whose data holds text as the value of v, byte for byte."""
    return (b'{"type":"RECORD","record":{"stream":"%s","emitted_at":1700000000000,"data":{"v":%s}}}\n'
            % (name.encode(), text.encode() if isinstance(text, str) else text))


def matrix(c, name, kind, cases):
    """cases: JSON text -> text of the column, None for NULL, or one of the three verdicts above."""
    properties = {"v": kind if isinstance(kind, dict) else {"type": kind}}
    streams = catalog(pg_stream(name, schema={"type": "object", "properties": properties}))
    c.write(config(), streams, [*[raw(name, text) for text in cases], *complete(name)]).ok()
    rows = psql(f"select v::text, _airbyte_meta->>'changes' from {name} order by ctid")
    assert len(rows) == len(cases)
    for (text, want), (value, meta) in zip(cases.items(), rows):
        verdicts = [(e["field"], e["change"], e["reason"]) for e in json.loads(meta)]
        value_wanted, verdict = want if isinstance(want, tuple) and want[1] == CUT else \
            (None, want) if isinstance(want, tuple) else (want, None)
        assert value == value_wanted, (name, text, value, value_wanted)
        assert verdicts == ([("v", *verdict)] if verdict else []), (name, text, verdicts)


def test_boolean(c):
    matrix(c, "v_boolean", "boolean", {
        "true": "true", "false": "false", "null": None, '"true"': BAD, "1": BAD, "0": BAD, "{}": BAD, "[]": BAD})


def test_bigint(c):
    matrix(c, "v_bigint", "integer", {
        "5": "5", "-5": "-5", "5.0": "5", "1e3": "1000", '"42"': "42", '"-42"': "-42", "null": None,
        "9223372036854775807": "9223372036854775807", "-9223372036854775808": "-9223372036854775808",
        "9223372036854775808": BIG, "-9223372036854775809": BIG, '"9223372036854775808"': BIG, "1e300": BIG,
        "5.5": BAD, '"5.0"': BAD, '"x"': BAD, '""': BAD, "true": BAD, "{}": BAD, '"\\u0034\\u0032"': "42"})


def test_numeric(c):
    digits = "1234567890" * 20
    matrix(c, "v_numeric", "number", {
        "1": "1", "-1.50": "-1.50", "0.1": "0.1", "1e-10": "0.0000000001", "1.5E+3": "1500", "0": "0", "-0.0": "0.0",
        "123456789012345678901234567890.123456789": "123456789012345678901234567890.123456789",
        digits: digits, f"0.{digits}": f"0.{digits}", '"12.5"': "12.5", '" 12"': BAD, "null": None,
        "1e131071": "1" + "0" * 131071, "1e131072": BIG, "-1e131072": BIG, "1e-20000": BIG,
        '"NaN"': BAD, '"Infinity"': BAD, "NaN": BAD, "true": BAD, "[1]": BAD, "9999999999999999": "9999999999999999"})


def test_varchar(c):
    matrix(c, "v_varchar", "string", {
        '"x"': "x", '""': "", "null": None, '"null"': "null", "1.50": "1.50", "true": "true",
        '{"a": [1, "é"]}': '{"a": [1, "é"]}', "[]": "[]", '"a\\u0000b"': "ab", '"\\u00e9\\n\\"\\/"': 'é\n"/',
        '"\\ud83d\\ude00"': "😀", '"\\ud83d"': "\ufffd", '{"a": "x\\u0000"}': '{"a": "x\\u0000"}'})
    # Bytes that are no UTF-8 end neither the row nor the COPY.
    streams = catalog(pg_stream("v_bytes", schema={"properties": {"v": {"type": "string"}}}))
    c.write(config(), streams, [raw("v_bytes", b'"a\xffb"'), raw("v_bytes", b'{"k":"\xc3"}'), *complete("v_bytes")]).ok()
    assert column("select v from v_bytes order by ctid") == ["a\ufffdb", '{"k":"\ufffd"}']


def test_date(c):
    matrix(c, "v_date", {"type": "string", "format": "date"}, {
        '"2024-02-29"': "2024-02-29", '"2024/02/29"': "2024-02-29", '"2024.2.9"': "2024-02-09", '"20240229"': "2024-02-29",
        '"2024-02-29T23:59:59Z"': "2024-02-29", '"0044-03-15 BC"': "0044-03-15 BC", '"10000-01-01"': "10000-01-01",
        '"+10000-01-01"': "10000-01-01", '"999999-01-01"': "999999-01-01", '"4714-11-23 BC"': BIG,
        '"2023-02-29"': BAD, '"x"': BAD, "20240229": BAD, "null": None})


def test_timestamptz(c):
    matrix(c, "v_tz", {"type": "string", "format": "date-time"}, {
        '"2024-01-02T03:04:05Z"': "2024-01-02 03:04:05+00", '"2024-01-02T03:04:05+02:00"': "2024-01-02 01:04:05+00",
        '"2024-01-02T03:04:05"': "2024-01-02 03:04:05+00", '"2024-01-02 03:04:05.123456789-0530"':
        "2024-01-02 08:34:05.123457+00", '"12024-01-02T00:00:00Z"': "12024-01-02 00:00:00+00",
        '"0044-03-15T12:00:00Z BC"': "0044-03-15 12:00:00+00 BC",
        '"294276-12-31T23:59:59.999999Z"': "294276-12-31 23:59:59.999999+00", '"294277-01-01T00:00:00Z"': BIG,
        '"4714-11-23T00:00:00Z BC"': BIG, '"12:00:00"': BAD, "1700000000": BAD, '"soon"': BAD, "{}": BAD})


def test_timestamp(c):
    matrix(c, "v_t", {"type": "string", "format": "date-time", "airbyte_type": "timestamp_without_timezone"}, {
        '"2024-01-02T03:04:05"': "2024-01-02 03:04:05", '"2024-01-02T03:04:05+02:00"': "2024-01-02 03:04:05",
        '"2024-01-02"': "2024-01-02 00:00:00", '"2024-01-02T25:00:00"': BAD})


def test_times(c):
    matrix(c, "v_timetz", {"type": "string", "format": "time"}, {
        '"12:34:56+02:00"': "12:34:56+02", '"12:34:56"': "12:34:56+00", '"12:34:56.5-05:30"': "12:34:56.5-05:30",
        '"12:34:56+17:00"': BIG, '"x"': BAD, '"2024-01-01"': BAD})
    matrix(c, "v_time", {"type": "string", "format": "time", "airbyte_type": "time_without_timezone"}, {
        '"12:34:56.789"': "12:34:56.789", '"12:34:56+02:00"': "12:34:56", '"2024-01-01T01:02:03Z"': "01:02:03",
        "12": BAD})


def test_jsonb(c):
    matrix(c, "v_object", "object", {
        '{"a": 1.50, "b": [null, "é"]}': '{"a": 1.50, "b": [null, "é"]}', "{}": "{}", '"{}"': BAD, "[]": BAD, "1": BAD,
        "null": None, '{"a": "x\\u0000y\\\\u0000"}': ('{"a": "xy\\\\u0000"}', CUT), '{"a": 1e200000}': BIG,
        '{"a": "\\ud83d"}': BAD, '{"a": tru}': BAD, '{"a": 1e10}': '{"a": 10000000000}'})
    matrix(c, "v_array", "array", {"[1, [2]]": "[1, [2]]", "[]": "[]", "{}": BAD, '"[]"': BAD, "[1, NaN]": BAD})
    for name, kind in (("v_union", {"type": ["string", "object"]}), ("v_any", {})):
        matrix(c, name, kind, {
            '"x"': '"x"', "1.50": "1.50", "true": "true", '{"a": 1}': '{"a": 1}', "[1]": "[1]", "null": None,
            '"a\\u0000b"': ('"ab"', CUT), "1e200000": BIG, "NaN": BAD})
    deep = "[" * 600 + "]" * 600
    matrix(c, "v_deep", "array", {deep: BAD, "[" * 100 + "]" * 100: "[" * 100 + "]" * 100})


def test_the_fields_own_name_is_in_the_change(c):
    streams = catalog(pg_stream("v_name", schema={"properties": {'a "b"': {"type": "integer"}}}))
    line = record("v_name", {'a "b"': "x", "undeclared": 1})
    line["record"]["meta"] = {"changes": [{"field": "f", "change": "NULLED", "reason": "SOURCE_RETRIEVAL_ERROR"}]}
    c.write(config(), streams, [line, *complete("v_name")]).ok()
    assert changes("v_name", 'a "b"') == [BAD] and changes("v_name", "f") == [("NULLED", "SOURCE_RETRIEVAL_ERROR")]
    assert column("select _airbyte_meta->'changes'->0->>'field' from v_name") == ["f"]


def test_meta_columns(c):
    streams = catalog(pg_stream("v_meta", generation=7, sync=12, schema={"properties": {}}))
    c.write(config(), streams, [record("v_meta", {}, emitted_at=1700000000123), record("v_meta", {}),
                                *complete("v_meta")]).ok()
    rows = psql("select _airbyte_raw_id, _airbyte_extracted_at, _airbyte_meta, _airbyte_generation_id from v_meta order by ctid")
    assert rows[0][1:] == ["2023-11-14 22:13:20.123+00", '{"changes": [], "sync_id": 12}', "7"]
    assert len(rows[0][0]) == 36 and rows[0][0] != rows[1][0]


def test_large_values(c):
    streams = catalog(pg_stream("v_large", schema={"properties": {"v": {"type": "string"}, "w": {"type": "array"}}}))
    text, array = "é" * 10_000_000, ["x" * 1000] * 20_000
    c.write(config(), streams, [record("v_large", {"v": text, "w": array}), *complete("v_large")]).ok()
    assert psql("select length(v), octet_length(v), jsonb_array_length(w) from v_large") == [["10000000", "20000000", "20000"]]


main(globals())
