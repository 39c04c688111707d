#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
import json
import re
import signal

from kit_test import catalog, main, stream

TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")


def incremental(*names):
    return catalog(*(stream(n, sync_mode="incremental") for n in names))


def test_spec(c):
    spec = c.spec()
    assert spec["connectionSpecification"]["properties"]["count"]["minimum"] == 1


def test_command_line(c):
    config = c.file("config.json", {})
    for args, text in [
        ([], "no command"),
        (["write", "--config", config], "unknown command 'write'"),
        (["check"], "check needs --config"),
        (["check", "--config"], "--config needs a file"),
        (["check", "--config", config, "--catalog", config], "unknown argument '--catalog'"),
        (["read", "--config", config], "read needs --catalog"),
    ]:
        result = c.run(*args)
        assert result.code == 2 and text in result.stderr, (args, result.stderr)
        assert "Usage: source-sample spec" in result.stderr


def test_bad_configuration(c):
    for config, text in [
        ({"count": "10"}, "configuration.count: expected integer"),
        ({"count": 1.5}, "configuration.count: expected integer"),
        ({"count": 0}, "configuration.count: must be at least 1"),
        ({"always_updated": "no"}, "configuration.always_updated: expected boolean"),
        ([], "configuration: expected object"),
    ]:
        assert c.check_fails(config) == text, c.check_fails(config)
    assert c.check_fails("").endswith("config.json: the file is empty")
    assert c.check_fails('{"count": 1,}').startswith("configuration: ")
    error = c.run("discover", "--config", c.file("config.json", {"count": 0})).error()
    assert error["failure_type"] == "config_error" and "count" in error["message"]
    error = c.run("check", "--config", str(c.dir / "none.json")).error()
    assert error["failure_type"] == "system_error" and "none.json" in error["message"]
    assert c.check({"count": 5.0, "unknown": None}).ok().lines == [
        '{"type":"CONNECTION_STATUS","connectionStatus":{"status":"SUCCEEDED"}}']


def test_discover(c):
    streams = c.discover({})
    assert [s["name"] for s in streams] == ["users", "products", "purchases"]
    for s in streams:
        assert s["source_defined_primary_key"] == [["id"]]
        assert s["default_cursor_field"] == ["updated_at"]
        assert s["supported_sync_modes"] == ["full_refresh", "incremental"]
    assert len(streams[0]["json_schema"]["properties"]) == 17


KINDS = {"integer": int, "number": float, "string": str, "object": dict}


def check_types(schema, data):
    assert set(schema["properties"]) == set(data), (schema, data)
    for name, rule in schema["properties"].items():
        value = data[name]
        if isinstance(rule["type"], list):
            if value is None:
                continue
        elif rule["type"] == "object":
            check_types(rule, value)
            continue
        kind = rule["type"] if isinstance(rule["type"], str) else "string"
        assert isinstance(value, KINDS[kind]), (name, value)
        if rule.get("format") == "date-time":
            assert TIME.match(value), value


def test_full_refresh(c):
    config = {"count": 250, "seed": 7, "records_per_slice": 100}
    result = c.read(config, catalog("users", "products", "purchases")).ok()
    for s, n in zip(c.discover(config), (250, 100, 250)):
        rows = result.records(s["name"])
        assert [r["id"] for r in rows] == list(range(1, n + 1)), s["name"]
        for row in rows:
            check_types(s["json_schema"], row)
    purchases = result.records("purchases")
    assert all(1 <= p["user_id"] <= p["id"] and 1 <= p["product_id"] <= 100 for p in purchases)
    bought = [p for p in purchases if p["purchased_at"]]
    assert 140 < len(bought) < 210
    assert 5 < len([p for p in bought if p["returned_at"]]) < 60
    for p in bought:
        assert p["created_at"] <= p["added_to_cart_at"] < p["purchased_at"]
        assert p["returned_at"] is None or p["returned_at"] > p["purchased_at"]
    assert len({u["email"] for u in result.records("users")}) == 250
    counts = [s["sourceStats"]["recordCount"] for s in result.states()]
    assert counts == [100, 100, 50, 100, 100, 100, 50], counts
    assert result.statuses() == [(s, w) for s in ("users", "products", "purchases")
                                 for w in ("STARTED", "RUNNING", "COMPLETE")]
    estimates = [m["trace"]["estimate"] for m in result.of("TRACE")
                 if m["trace"]["type"] == "ESTIMATE"]
    assert [(e["name"], e["row_estimate"]) for e in estimates] == [
        ("users", 250), ("products", 100), ("purchases", 250)]


def test_golden(c):
    """What seed 1 means must never change: resumed and compared syncs depend on it."""
    config = {"count": 3, "seed": 1, "always_updated": False}
    result = c.read(config, catalog("users", "products", "purchases")).ok()
    for name, text in GOLDEN:
        row = result.records(name)[2]
        assert json.dumps(row) == text, json.dumps(row)


GOLDEN = [
    ('users', '{"id": 3, "created_at": "2008-07-03T08:29:04Z", "updated_at": "2009-05-15T19:00:'
        '30Z", "name": "Lale Weber", "title": "Ms.", "age": 80, "email": "lale.weber3@exa'
        'mple.com", "telephone": "+1 555 208 0308", "gender": "Nonbinary", "language": "S'
        'wahili", "academic_degree": "Diploma", "nationality": "Danish", "occupation": "P'
        'lumber", "height": "1.85", "blood_type": "AB+", "weight": 58, "address": {"stree'
        't_number": "1200", "street_name": "Harbour View", "city": "Hazelton", "state": "'
        'Estuary", "province": "Middle Shire", "postal_code": "87526", "country_code": "A'
        'T"}}'),
    ('products', '{"id": 3, "make": "Altana", "model": "Comet", "year": 2006, "price": 37631.69, "'
        'created_at": "2017-01-04T06:19:21Z", "updated_at": "2017-01-05T06:19:21Z"}'),
    ('purchases', '{"id": 3, "user_id": 3, "product_id": 2, "created_at": "2008-03-29T22:04:59Z", "'
        'updated_at": "2008-04-10T19:00:10Z", "added_to_cart_at": "2008-04-05T01:19:49Z",'
        ' "purchased_at": "2008-04-05T11:58:59Z", "returned_at": "2008-04-10T19:00:10Z"}'),
]


def test_same_seed_same_records(c):
    config = {"count": 500, "seed": 42, "always_updated": False}
    streams = catalog("users", "purchases")
    one = c.read(config, streams).ok().records()
    assert c.read(dict(config, records_per_slice=7, parallelism=1), streams).ok().records() == one
    larger = c.read(dict(config, count=600), streams).ok()
    assert larger.records("users")[:500] + larger.records("purchases")[:500] == one
    assert c.read(dict(config, seed=43), streams).ok().records() != one


def test_random_seed_is_kept_in_the_state(c):
    config = {"count": 10, "always_updated": False}
    one = c.read(config, incremental("users")).ok()
    two = c.read(config, incremental("users")).ok()
    assert one.records() != two.records()
    state = [{"type": "STREAM", "stream": one.states()[-1]["stream"]}]
    more = c.read(dict(config, count=12), incremental("users"), state).ok()
    assert [r["id"] for r in more.records()] == [11, 12]
    assert more.states()[0]["stream"]["stream_state"]["seed"] == \
        one.states()[0]["stream"]["stream_state"]["seed"]


def test_incremental_moves_only_the_new(c):
    config = {"count": 1000, "seed": 1, "always_updated": False}
    one = c.read(config, incremental("users")).ok()
    assert len(one.records()) == 1000
    again = c.read(config, incremental("users"), one.states()[-1:]).ok()
    assert again.records() == [] and len(again.states()) == 1
    assert again.statuses()[-1] == ("users", "COMPLETE")
    less = c.read(dict(config, count=100), incremental("users"), again.states()).ok()
    assert less.records() == []
    more = c.read(dict(config, count=1500), incremental("users"), less.states()).ok()
    assert [r["id"] for r in more.records()] == list(range(1001, 1501))
    other = c.read(dict(config, seed=2), incremental("users"), one.states()[-1:]).ok()
    assert len(other.records()) == 1000


def test_always_updated_sends_all_again(c):
    config = {"count": 20, "seed": 1, "records_per_slice": 8}
    one = c.read(config, incremental("users")).ok()
    two = c.read(config, incremental("users"), one.states()[-1:]).ok()
    assert [r["id"] for r in two.records()] == list(range(1, 21))
    assert len({r["updated_at"] for r in two.records()}) == 1
    assert two.records()[0]["updated_at"] > one.records()[0]["updated_at"]
    for row in one.records() + two.records():
        del row["updated_at"]
    a, b = one.records(), two.records()
    assert [r["email"] for r in a] == [r["email"] for r in b]


def test_resumes_where_the_state_says(c):
    for mode in ("incremental", "full_refresh"):
        streams = catalog(stream("users", sync_mode=mode))
        config = {"count": 50, "seed": 3, "records_per_slice": 20}
        whole = c.read(config, streams).ok()
        first = whole.states()[0]
        assert first["stream"]["stream_state"]["loop_offset"] == 20
        rest = c.read(config, streams, [first]).ok()
        assert rest.records() == whole.records()[20:]
        assert rest.states() == whole.states()[1:]
        # A full refresh that was done is done again.
        again = c.read(config, streams, whole.states()[-1:]).ok()
        assert len(again.records()) == 50


def test_state_of_the_public_source(c):
    foreign = [{"type": "STREAM", "stream": {"stream_descriptor": {"name": "users"},
                "stream_state": {"seed": None, "updated_at": "2024-01-01T00:00:00+00:00",
                                 "loop_offset": 90}}}]
    config = {"count": 100, "always_updated": False}
    assert c.read(config, incremental("users"), foreign).ok().records() == []
    assert len(c.read({"count": 100}, incremental("users"), foreign).ok().records()) == 100


def test_bad_catalog_and_state(c):
    cases = [
        (catalog("cars"), None, "there is no stream 'cars'"),
        (catalog("users", "users"), None, "catalog.streams[1]: stream 'users' is configured twice"),
        ({}, None, "catalog.streams: expected array"),
        ({"streams": [{"stream": {"name": 1}}]}, None, "catalog.streams[0].stream.name"),
        (catalog(dict(stream("users"), sync_mode="x")), None,
         'catalog.streams[0].sync_mode: unknown value "x"'),
        (catalog(stream("users", generation_id=3, minimum_generation_id=2)), None,
         "catalog.streams[0].minimum_generation_id: 2 is neither 0 nor the generation_id 3"),
        (catalog("users"), [{"type": "STREAM"}], "state[0]: expected a state"),
        (catalog("users"), "[", "state: "),
        (catalog("users"), [{"type": "STREAM", "stream": {"stream_descriptor": {"name": "users"},
         "stream_state": {"loop_offset": -1}}}], "loop_offset: expected integer of at least 0"),
    ]
    for streams, state, text in cases:
        error = c.read({"count": 1}, streams, state).error()
        assert text in error["message"], error
        assert error["failure_type"] == "config_error"


def test_sigterm_stops_with_a_state(c):
    config = {"count": 10 ** 9, "seed": 1, "records_per_slice": 10 ** 8}
    process = c.popen(*c.args("read", config, incremental("users")))
    for _ in range(1000):
        process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    lines = process.stdout.read().splitlines()
    assert process.wait() == 143
    messages = [json.loads(line) for line in lines[-2:]]
    last = json.loads(lines[-3])["record"]["data"]["id"]
    assert messages[0]["state"]["stream"]["stream_state"]["loop_offset"] == last
    assert messages[0]["state"]["stream"]["stream_state"]["complete"] is False
    assert messages[1]["trace"]["stream_status"]["status"] == "INCOMPLETE"


def test_ends_when_the_reader_is_gone(c):
    process = c.popen(*c.args("read", {"count": 10 ** 9}, catalog("users")))
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(timeout=10) == 1


main(globals())
