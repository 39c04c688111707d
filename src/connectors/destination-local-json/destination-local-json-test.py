#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
import json
import re
import signal

from kit_test import catalog, main, record, state, status, stream

CONFIG = {"destination_path": "/local/out"}


def root(c):
    c.env["SLUICE_LOCAL_ROOT"] = str(c.dir / "root")
    return c.dir / "root" / "out"


def rows(first, last, name="a", **more):
    return [record(name, {"i": i}, **more) for i in range(first, last + 1)]


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def values(path):
    return [line["_airbyte_data"]["i"] for line in lines(path)]


def names(folder):
    return sorted(p.name for p in folder.iterdir())


def generation(n, minimum, name="a"):
    return stream(name, generation_id=n, minimum_generation_id=minimum, sync_id=1)


def test_check(c):
    out = root(c)
    assert c.check(CONFIG).ok().messages[0]["connectionStatus"]["status"] == "SUCCEEDED"
    assert names(out) == []
    assert c.check_fails({}) == "configuration.destination_path: missing"
    assert c.check_fails({"destination_path": 1}) == \
        "configuration.destination_path: expected string"
    assert c.check_fails(dict(CONFIG, x=1)) == "configuration.x: unknown property"
    for path in ("../x", "/local/../../x", "out/../../x", "/local/out/.."):
        text = c.check_fails({"destination_path": path})
        assert text.startswith("configuration.destination_path: '") and "leads out of" in text
    (out / "link").symlink_to("/tmp")
    text = c.check_fails({"destination_path": "out/link/x"})
    assert text == "configuration.destination_path: 'link' of 'out/link/x' is a symbolic link"
    (out / "file").write_text("")
    assert "'file' of 'out/file'" in c.check_fails({"destination_path": "out/file"})
    assert c.check({"destination_path": "/a//./b/"}).ok() and (c.dir / "root/a/b").is_dir()


def test_lines(c):
    out = root(c)
    meta = {"changes": [{"field": "f", "change": "NULLED", "reason": "SOURCE_RETRIEVAL_ERROR"}]}
    changed = record("a", {"i": 2})
    changed["record"]["meta"] = meta
    raw = b'{"type":"RECORD","record":{"stream":"a","data":{"n":1.50e2,"s":"\\u00e9"}}}\n'
    c.write(CONFIG, catalog("a"), [*rows(1, 1), changed, raw]).ok()
    text = (out / "_airbyte_raw_a.jsonl").read_text().splitlines()
    assert re.fullmatch(r'\{"_airbyte_ab_id":"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab]'
                        r'[0-9a-f]{3}-[0-9a-f]{12}","_airbyte_emitted_at":1700000000000,'
                        r'"_airbyte_data":\{"i": 1\}\}', text[0]), text[0]
    assert json.loads(text[1])["_airbyte_meta"] == meta
    assert text[2].endswith('"_airbyte_data":{"n":1.50e2,"s":"\\u00e9"}}')
    assert json.loads(text[2])["_airbyte_emitted_at"] > 1700000000000
    assert len({json.loads(t)["_airbyte_ab_id"] for t in text}) == 3


def test_append_appends(c):
    out = root(c)
    for first in (1, 4):
        result = c.write(CONFIG, catalog("a"), [*rows(first, first + 2), state("a", first)]).ok()
        assert result.of("STATE") == [state("a", first)]
    assert values(out / "_airbyte_raw_a.jsonl") == [1, 2, 3, 4, 5, 6]
    assert names(out) == ["_airbyte_raw_a.jsonl"]
    # Another user of the same group goes on with them.
    assert (out / "_airbyte_raw_a.jsonl").stat().st_mode & 0o777 == 0o664
    assert out.stat().st_mode & 0o777 == 0o775


def test_streams_do_not_collide(c):
    out = root(c)
    keys = [(None, "a"), ("n", "a"), (None, "n.a"), ("n.a", "b"), ("n", "a.b"), (None, "a b"),
            (None, "a/b"), (None, "../é"), (None, "x" * 300), (None, "x" * 299 + "y")]
    result = c.write(CONFIG, catalog(*(stream(n, namespace=ns) for ns, n in keys)),
                     [record(n, {"i": i}, namespace=ns) for i, (ns, n) in enumerate(keys)]).ok()
    assert result.errors() == []
    assert sorted(values(p)[0] for p in out.iterdir()) == list(range(len(keys)))
    assert {"_airbyte_raw_a.jsonl", "_airbyte_raw_n.a.jsonl", "_airbyte_raw_n%2Ea.jsonl",
            "_airbyte_raw_%2E%2E%2F%C3%A9.jsonl"} <= set(names(out))
    assert max(len(n) for n in names(out)) < 220


def test_acknowledged_lines_survive_a_kill(c):
    out = root(c)
    process = c.popen(*c.args("write", CONFIG, catalog("a")))
    for message in [*rows(1, 1000), state("a", 1), *rows(1001, 1100)]:
        process.stdin.write(json.dumps(message).encode() + b"\n")
    process.stdin.flush()
    assert json.loads(process.stdout.readline()) == state("a", 1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    path = out / "_airbyte_raw_a.jsonl"
    assert values(path)[:1000] == list(range(1, 1001))
    # Half a line, as a crash of the host leaves it, is cut off by the next sync.
    size = len(lines(path))
    with path.open("a") as f:
        f.write('{"_airbyte_ab_id":"')
    c.write(CONFIG, catalog("a"), rows(7, 7)).ok()
    assert len(lines(path)) == size + 1 and values(path)[-1] == 7


def test_failure_leaves_what_was_acknowledged(c):
    out = root(c)
    result = c.write(CONFIG, catalog("a"), [*rows(1, 3), state("a", 1), *rows(4, 9), b'{"type":'
                     b'"RECORD","record":{"stream":"zz","data":{},"emitted_at":1}}\n'])
    assert "stream 'zz'" in result.error()["message"]
    kept = values(out / "_airbyte_raw_a.jsonl")
    assert kept == ([1, 2, 3] if result.of("STATE") else []), kept


def test_sigterm_keeps_what_arrived(c):
    out = root(c)
    process = c.popen(*c.args("write", CONFIG, catalog("a")))
    for message in [*rows(1, 10), state("a", 1)]:
        process.stdin.write(json.dumps(message).encode() + b"\n")
    process.stdin.flush()
    assert json.loads(process.stdout.readline()) == state("a", 1)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=5) == 143
    process.stdin.close()
    assert values(out / "_airbyte_raw_a.jsonl") == list(range(1, 11))


def test_overwrite_by_generations(c):
    out = root(c)
    path = out / "_airbyte_raw_a.jsonl"
    done = status("a", "COMPLETE")
    c.write(CONFIG, catalog(generation(1, 1)), [*rows(1, 2), done]).ok()
    assert values(path) == [1, 2]
    assert [line["_airbyte_generation_id"] for line in lines(path)] == [1, 1]
    # An attempt that fails keeps its rows aside, the next one of the generation goes on.
    c.write(CONFIG, catalog(generation(2, 2)), [*rows(3, 4), state("a", 1),
                                                status("a", "INCOMPLETE")]).ok()
    assert values(path) == [1, 2]
    assert names(out) == ["_airbyte_raw_a.jsonl", "_airbyte_raw_a.jsonl.gen-2.tmp"]
    error = c.write(CONFIG, catalog(generation(2, 2)), rows(5, 5)).error()
    assert "COMPLETE" in error["message"] and values(path) == [1, 2]
    c.write(CONFIG, catalog(generation(2, 2)), [*rows(6, 6), done]).ok()
    assert values(path) == [3, 4, 5, 6] and names(out) == ["_airbyte_raw_a.jsonl"]
    # Once more in the same generation, since another stream had failed: nothing is lost.
    c.write(CONFIG, catalog(generation(2, 2)), [*rows(7, 7), done]).ok()
    assert values(path) == [3, 4, 5, 6, 7]
    # Unfinished files of older generations go.
    (out / "_airbyte_raw_a.jsonl.gen-1.tmp").write_text("{}\n")
    c.write(CONFIG, catalog(generation(3, 3)), [done]).ok()
    assert path.read_text() == "" and names(out) == ["_airbyte_raw_a.jsonl"]


def test_append_adopts_an_unfinished_generation(c):
    out = root(c)
    c.write(CONFIG, catalog(generation(1, 0)), rows(1, 2)).ok()
    c.write(CONFIG, catalog(generation(2, 2)), [*rows(3, 4), status("a", "INCOMPLETE")]).ok()
    c.write(CONFIG, catalog(generation(2, 0)), rows(5, 5)).ok()
    assert values(out / "_airbyte_raw_a.jsonl") == [1, 2, 3, 4, 5]
    assert names(out) == ["_airbyte_raw_a.jsonl"]


def test_overwrite_without_generations(c):
    out = root(c)
    path = out / "_airbyte_raw_a.jsonl"
    streams = catalog(stream("a", mode="overwrite"))
    c.write(CONFIG, streams, [*rows(1, 2), status("a", "COMPLETE")]).ok()
    result = c.write(CONFIG, streams, [*rows(3, 3), state("a", 1), status("a", "INCOMPLETE")]).ok()
    assert values(path) == [1, 2] and result.of("STATE") == []
    assert names(out) == ["_airbyte_raw_a.jsonl"]
    result = c.write(CONFIG, streams, [*rows(4, 4), state("a", 1), status("a", "COMPLETE")]).ok()
    assert values(path) == [4] and result.of("STATE") == [state("a", 1)]


def test_refused(c):
    root(c)
    error = c.write(CONFIG, catalog(stream("a", mode="append_dedup")), []).error()
    assert error["message"].startswith("stream 'a': ") and "destination_sync_mode" in \
        error["message"] and error["failure_type"] == "config_error"
    process = c.popen(*c.args("write", CONFIG, catalog("a")))
    process.stdin.write(json.dumps(state("a", 1)).encode() + b"\n")
    process.stdin.flush()
    process.stdout.readline()
    error = c.write(CONFIG, catalog("a"), []).error()
    assert "being written by another sync" in error["message"]
    assert error["failure_type"] == "transient_error"
    process.stdin.close()
    assert process.wait(timeout=5) == 0


main(globals())
