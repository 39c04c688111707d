#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The kit's two ends of a data channel. Usage: kit-channel-test.py SOURCE-SAMPLE LOCAL-JSON DEV-NULL"""
import calendar
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

from channel_test import (PROBE, connect, environment, field, frames, frame, listen, message_frame, read_all, record_frame,
                          varint, zigzag)
from kit_test import Connector, catalog, main, record, state, status, stream

SOURCE, LOCAL, NULL = sys.argv[1:4]
FORMATS = ("JSONL", "PROTOBUF")
SILENT = {"test_destination": {"test_destination_type": "SILENT"}}


def side(c, program):
    other = Connector(program)
    other.dir.rmdir()
    other.dir, other.env = c.dir, dict(c.env)
    return other


def sample_catalog(c, *names):
    schemas = {s["name"]: s["json_schema"] for s in side(c, SOURCE).discover({"count": 1})}
    return catalog(*(stream(n, sync_mode="incremental", schema=schemas[n], generation_id=1, minimum_generation_id=0, sync_id=1)
                     for n in names))


def start(c, program, verb, config, what, **env):
    """stdout goes to a file: nobody has to read it."""
    connector = side(c, program)
    args = connector.args(verb, config, what)
    for i, arg in enumerate(args):  # both sides share the folder
        if arg.endswith((".json")):
            os.rename(arg, f"{arg}-{verb}")
            args[i] = f"{arg}-{verb}"
    out = open(c.dir / f"{verb}.out", "wb")
    return subprocess.Popen([program, *args], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE,
                            env={**os.environ, **c.env, **env})


def output(c, verb):
    return [json.loads(line) for line in (c.dir / f"{verb}.out").read_text().splitlines()]


def end(process, code=0, timeout=60):
    found = process.wait(timeout * int(os.environ.get("SL_TEST_SLOWER", "1")))
    err = process.stderr.read().decode()
    assert found == code, f"exit {found}, expected {code}: {err}"
    return err


def of(messages, kind):
    return [m[{"STATE": "state", "RECORD": "record", "LOG": "log"}[kind]] for m in messages if m["type"] == kind]


def errors(messages):
    return [m["trace"]["error"]["message"] for m in messages if m["type"] == "TRACE" and m["trace"]["type"] == "ERROR"]


# --- the source


def drain(paths):
    """What each socket brings, read side by side once all are connected: else the first could take everything."""
    found = [b""] * len(paths)
    connected = threading.Barrier(len(paths))

    def run(i):
        client = connect(paths[i])
        connected.wait(60)
        found[i] = read_all(client)
        client.close()
    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(paths))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return found


def source_run(c, form, n, config, what):
    env, paths = environment(str(c.dir), n, form)
    process = start(c, SOURCE, "read", config, what, **env)
    data = drain(paths)
    end(process)
    assert not any(os.path.exists(p) for p in paths), "sockets are left behind"
    return data, output(c, "read")


def test_source_jsonl(c):
    what = sample_catalog(c, "users", "purchases")
    plain = side(c, SOURCE).read({"count": 3000, "seed": 5, "always_updated": False}, what).ok()
    data, out = source_run(c, "JSONL", 3, {"count": 3000, "seed": 5, "always_updated": False}, what)
    assert all(data), "a socket that got nothing"
    messages = [json.loads(line) for part in data for line in part.splitlines()]
    for name in ("users", "purchases"):
        rows = [r for r in of(messages, "RECORD") if r["stream"] == name]
        assert sorted((r["data"] for r in rows), key=lambda d: d["id"]) == plain.records(name)
        states = [s for s in of(messages, "STATE") if s["stream"]["stream_descriptor"]["name"] == name]
        assert [s["id"] for s in sorted(states, key=lambda s: s["id"])] == [1, 2, 3]
        for s in states:
            assert sum(r["partition_id"] == s["partition_id"] for r in rows) == s["sourceStats"]["recordCount"] == 1000
    assert not of(out, "RECORD"), "records are on the sockets only"
    assert sorted(map(json.dumps, of(out, "STATE"))) == sorted(map(json.dumps, of(messages, "STATE")))
    assert [m["type"] for m in messages if m["type"] not in ("RECORD", "STATE")] == []


def test_source_protobuf_golden(c):
    """Every byte of a product, which has a string, integers, a number and timestamps. Columns are sorted by name."""
    what = sample_catalog(c, "products")
    data, _ = source_run(c, "PROTOBUF", 1, {"count": 1, "seed": 1, "always_updated": False}, what)
    plain = side(c, SOURCE).read({"count": 1, "seed": 1, "always_updated": False}, what).ok()
    price = re.search(r'"price":([0-9.]+)', next(line for line in plain.lines if '"RECORD"' in line)).group(1).encode()  # with its zeros
    plain = plain.records()[0]
    (_, record), (_, said) = frames(data[0])

    def seconds(text):
        day, clock = text.rstrip("Z").split("T")
        return calendar.timegm(time.strptime(f"{day} {clock}", "%Y-%m-%d %H:%M:%S"))

    def timestamp(text):
        return field(5, field(10, field(1, zigzag(seconds(text)))))
    values = timestamp(plain["created_at"])
    values += field(5, field(3, zigzag(plain["id"])))
    values += field(5, field(2, plain["make"].encode())) + field(5, field(2, plain["model"].encode()))
    values += field(5, field(6, price)) + timestamp(plain["updated_at"]) + field(5, field(3, zigzag(plain["year"])))
    body = field(2, b"products") + field(3, record["emitted_at"]) + field(4, record["partition"].encode()) + values
    assert data[0].startswith(frame(field(1, body))), data[0]
    assert said["state"]["id"] == 1 and said["state"]["partition_id"] == record["partition"]


def test_source_partition_over_sockets(c):
    data, _ = source_run(c, "PROTOBUF", 4, {"count": 4000, "seed": 2, "records_per_slice": 4000}, sample_catalog(c, "users"))
    parts = [{r["partition"] for kind, r in frames(part) if kind == "record"} for part in data]
    assert len(set.union(*parts)) == 1 and sum(map(bool, parts)) > 1, parts
    assert sum(kind == "record" for part in data for kind, _ in frames(part)) == 4000


def test_source_stale_socket(c):
    env, paths = environment(str(c.dir), 1, "JSONL")
    listen(paths[0]).close()  # of a source that was killed: nobody is behind it
    process = start(c, SOURCE, "read", {"count": 5}, sample_catalog(c, "users"), **env)
    client = connect(paths[0])
    assert read_all(client).count(b'"RECORD"') == 5
    end(process)


def test_source_nobody_comes(c):
    env, paths = environment(str(c.dir), 2, "JSONL")
    process = start(c, SOURCE, "read", {"count": 5}, sample_catalog(c, "users"), **env)
    client = connect(paths[0])
    data = b""
    while b'"STATE"' not in data:
        data += client.recv(1 << 16)
    assert process.poll() is None, "it does not end while a socket has had no client"
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) in (1, 143)
    process.stderr.read()


def test_source_reader_dies(c):
    env, paths = environment(str(c.dir), 1, "PROTOBUF")
    process = start(c, SOURCE, "read", {"count": 1000000}, sample_catalog(c, "users"), **env)
    client = connect(paths[0])
    client.recv(10)
    client.close()
    end(process, 1)
    assert errors(output(c, "read")) == ["nobody reads the output any more"]


def test_environment(c):
    what = catalog("users")
    for change, text in [({"DATA_CHANNEL_MEDIUM": "PIGEON"}, "DATA_CHANNEL_MEDIUM: unknown value 'PIGEON'"),
                         ({"DATA_CHANNEL_FORMAT": "XML"}, "DATA_CHANNEL_FORMAT: unknown value 'XML'"),
                         ({"DATA_CHANNEL_SOCKET_PATHS": ""}, "DATA_CHANNEL_SOCKET_PATHS"),
                         ({"DATA_CHANNEL_SOCKET_PATHS": "/tmp/" + "x" * 200}, "too long"),
                         ({"DATA_CHANNEL_SOCKET_PATHS": "/nowhere/at/all"}, "/nowhere/at/all")]:
        env, _ = environment(str(c.dir), 1, "JSONL")
        end(start(c, SOURCE, "read", {}, what, **{**env, **change}), 1)
        assert text in errors(output(c, "read"))[0], errors(output(c, "read"))
    env, _ = environment(str(c.dir), 1, "JSONL")
    end(start(c, SOURCE, "read", {"count": 1}, what, **{**env, "DATA_CHANNEL_MEDIUM": "STDIO"}))


# --- the destination


INT, TEXT = {"type": "integer"}, {"type": "string"}
TABLE = catalog(stream("s", schema={"type": "object", "properties": {"b": TEXT, "a": INT}}, generation_id=1,
                       minimum_generation_id=0, sync_id=1))


def said(ordinal, partition, n, name="s"):
    return state(name, {"n": ordinal}, id=ordinal, partition_id=partition, sourceStats={"recordCount": n})


def put(form, message):
    """A message on the wire; a record is (a, b, partition)."""
    if isinstance(message, bytes):
        return message
    if isinstance(message, tuple):
        a, b, partition = message
        if form == "PROTOBUF":
            return record_frame("s", [a, b], partition)
        line = record("s", {"a": a, "b": b})
        line["record"]["partition_id"] = partition
        return json.dumps(line).encode() + b"\n"
    return message_frame(message) if form == "PROTOBUF" else json.dumps(message).encode() + b"\n"


class Sink:
    """destination-local-json behind sockets that we hold."""

    def __init__(self, c, form, n=1, program=LOCAL, late=False, what=TABLE):
        self.c, self.form = c, form
        c.env["SLUICE_LOCAL_ROOT"] = str(c.dir / "root")
        env, self.paths = environment(str(c.dir), n, form)
        for path in self.paths:
            if os.path.exists(path):
                os.unlink(path)
        servers = [] if late else [listen(p) for p in self.paths]
        config = {"destination_path": "/local/out"} if program == LOCAL else SILENT
        self.process = start(c, program, "write", config, what, **env)
        if late:
            time.sleep(0.2)
            servers = [listen(p) for p in self.paths]
        self.sockets = [s.accept()[0] for s in servers]
        for s in servers:
            s.close()

    def send(self, i, *messages):
        self.sockets[i].sendall(b"".join(put(self.form, m) for m in messages))

    def wait_states(self, n):
        deadline = time.monotonic() + 60
        while len(of(output(self.c, "write"), "STATE")) < n:
            assert time.monotonic() < deadline and self.process.poll() is None, output(self.c, "write")
            time.sleep(0.01)

    def finish(self, code=0):
        for s in self.sockets:
            s.close()
        end(self.process, code)
        self.out = output(self.c, "write")
        self.states = [s["id"] for s in of(self.out, "STATE")]
        return self

    def rows(self):
        folder = self.c.dir / "root" / "out"
        return sorted((json.loads(line)["_airbyte_data"] for p in folder.iterdir() for line in p.read_text().splitlines()),
                      key=lambda r: r["a"])


def test_four_sockets_out_of_order(c):
    for form in FORMATS:
        sink = Sink(c, form, 4)
        sink.send(3, said(2, "p2", 2))
        sink.send(0, (1, "x", "p1"), (4, "x", "p2"))
        sink.send(1, said(1, "p1", 3), (2, "x", "p1"))
        sink.send(2, said(3, "p3", 0), (3, "x", "p1"))
        sink.send(1, (5, "x", "p2"))
        sink.send(0, status("s", "COMPLETE"))
        sink.finish()
        assert sink.states == [1, 2, 3], sink.states
        assert [r["a"] for r in sink.rows()][:5] == [1, 2, 3, 4, 5]
        shutil.rmtree(c.dir / "root")


def test_state_waits_for_the_last_record(c):
    """Each flush of this destination comes quickly: what is not due is not said, however long it takes."""
    for form in FORMATS:
        sink = Sink(c, form, 2, program=NULL)
        sink.send(0, (1, "x", "p1"), said(1, "p1", 2))
        sink.send(1, (9, "x", "p2"), said(2, "p2", 1))
        time.sleep(0.3)
        assert of(output(c, "write"), "STATE") == []
        sink.send(1, (2, "x", "p1"))
        sink.wait_states(2)
        sink.send(0, status("s", "COMPLETE"))
        assert sink.finish().states == [1, 2]


def test_probes(c):
    sink = Sink(c, "PROTOBUF")
    sink.send(0, PROBE, (1, "x", "p"), PROBE, PROBE, said(1, "p", 1), PROBE, status("s", "COMPLETE"), PROBE)
    assert sink.finish().states == [1]
    lines = Sink(c, "JSONL")
    lines.send(0, b"\n", (2, "x", "p"), b"\n\n", said(1, "p", 1), b"\n", status("s", "COMPLETE"), b"\n")
    assert lines.finish().states == [1]
    assert not [m for m in lines.out if m["type"] == "LOG" and m["log"]["level"] == "WARN"]


def test_frames_byte_by_byte(c):
    sink = Sink(c, "PROTOBUF")
    data = b"".join(put("PROTOBUF", m) for m in [(1, "é\n\"", "p"), PROBE, said(1, "p", 1), status("s", "COMPLETE")])
    for i in range(len(data)):
        sink.sockets[0].sendall(data[i:i + 1])
    sink.finish()
    assert sink.rows() == [{"a": 1, "b": "é\n\""}]


def test_late_sockets(c):
    sink = Sink(c, "PROTOBUF", 2, late=True)
    sink.send(1, (1, None, "p"), said(1, "p", 1), status("s", "COMPLETE"))
    assert sink.finish().states == [1] and sink.rows() == [{"a": 1, "b": None}]


def test_socket_never_comes(c):
    env, paths = environment(str(c.dir), 2, "JSONL")
    server = listen(paths[0])
    process = start(c, NULL, "write", SILENT, TABLE, **env)
    client, _ = server.accept()
    process.send_signal(signal.SIGTERM)
    end(process, 143)
    client.close()


def test_writer_dies_in_a_message(c):
    whole = put("PROTOBUF", (1, "x" * 50, "p"))
    sink = Sink(c, "PROTOBUF")
    sink.send(0, whole, whole[:-7])
    sink.finish(1)
    assert "socket 1: the input ended in the middle of frame 2" in errors(sink.out)[0], errors(sink.out)
    lines = Sink(c, "JSONL")
    lines.send(0, put("JSONL", (1, "x" * 50, "p"))[:-9])
    lines.finish(1)
    assert "socket 1: line 1: a broken or incomplete record" in errors(lines.out)[0], errors(lines.out)


def test_malformed_frames(c):
    for data, text in [
        (b"\xff\xff\xff\xff\xff\x01", "frame 1 has no valid length"),
        (frame(b"\x0a\x05\x12\x01s"), "frame 1: a broken field"),
        (frame(field(1, b"\x12\x09s")), "frame 1: a broken field of a record"),
        (record_frame("t", [1]), "a record of stream 't'"),
        (record_frame("s", [1, "x", 2]), "3 values, and its stream's schema 2 columns"),
        (record_frame("s", [field(4, b"1x")]), "a broken value of column 'a'"),
        (record_frame("s", [field(12, b"[1")]), "a broken value of column 'a'"),
        (message_frame(record("s", {"a": 1})), "a record as text"),
        (record_frame("s", [1], "p") + message_frame(b'{"type":"STATE","state":[]}'), "frame 2: "),
        (message_frame(state("s", {})) * 2 + message_frame({"type": "STATE", "state": {
            "type": "GLOBAL", "global": {"stream_states": []}}}), "states of type STREAM are mixed"),
    ]:
        sink = Sink(c, "PROTOBUF", program=NULL)
        sink.send(0, data)
        sink.finish(1)
        assert text in errors(sink.out)[0], (text, errors(sink.out))


def test_state_that_nobody_can_place(c):
    sink = Sink(c, "JSONL", 2, program=NULL)
    sink.send(0, (1, "x", "p"), state("s", {}))
    sink.finish(1)
    assert "a state without id on one of 2 sockets" in errors(sink.out)[0], errors(sink.out)


def test_lost_records(c):
    """A source that says COMPLETE behind a state whose records are not all there."""
    sink = Sink(c, "PROTOBUF", 2, program=NULL)
    sink.send(0, (1, "x", "p"), said(1, "p", 2))
    sink.send(1, status("s", "COMPLETE"))
    sink.finish(1)
    assert "state 1 says that partition 'p' has 2 records, and only 1 came" in errors(sink.out)[0], errors(sink.out)
    died = Sink(c, "PROTOBUF", 2, program=NULL)
    died.send(0, (1, "x", "p"), said(1, "p", 2))
    assert died.finish().states == []


def test_too_many_records(c):
    sink = Sink(c, "JSONL", 2, program=NULL)
    sink.send(0, (1, "x", "p"), (2, "x", "p"), said(1, "p", 1))
    sink.finish(1)
    assert "says that partition 'p' has 1 records, and 2 came" in errors(sink.out)[0], errors(sink.out)


def test_states_come_back_as_one_line(c):
    sink = Sink(c, "PROTOBUF")
    text = json.dumps(said(1, "p", 0), indent=1).encode()
    sink.send(0, message_frame(text), status("s", "COMPLETE"))
    sink.finish()
    assert of(sink.out, "STATE") == [said(1, "p", 0)["state"]]


def test_sigterm_keeps_what_is_due(c):
    sink = Sink(c, "PROTOBUF", 2, program=NULL)
    sink.send(0, (1, "x", "p1"), said(1, "p1", 1))
    sink.send(1, (2, "x", "p2"), said(2, "p2", 2))
    sink.wait_states(1)
    sink.process.send_signal(signal.SIGTERM)
    sink.finish(143)
    assert sink.states == [1]


# --- both


def pair(c, form, n, count=5000, names=("users", "purchases")):
    c.env["SLUICE_LOCAL_ROOT"] = str(c.dir / "root")
    env, _ = environment(str(c.dir), n, form) if form else ({}, None)
    what = sample_catalog(c, *names)
    config = {"count": count, "seed": 11, "always_updated": False}
    if form is None:
        result = side(c, SOURCE).run(*side(c, SOURCE).args("read", config, what)).ok()
        lines = [line for line in result.lines if '"ESTIMATE"' not in line]
        sink = side(c, LOCAL)
        out = sink.run(*sink.args("write", {"destination_path": "/local/out"}, what), stdin="\n".join(lines).encode()).ok()
        states = len(out.states())
    else:
        write = start(c, LOCAL, "write", {"destination_path": "/local/out"}, what, **env)
        read = start(c, SOURCE, "read", config, what, **env)
        end(read)
        end(write)
        states = len(of(output(c, "write"), "STATE"))
    folder, rows = c.dir / "root" / "out", []
    for path in sorted(folder.iterdir()):
        rows += [json.loads(line)["_airbyte_data"] for line in path.read_text().splitlines()]
    shutil.rmtree(c.dir / "root")
    return sorted(json.dumps(r, sort_keys=True) for r in rows), states


def test_formats_give_the_same_records(c):
    plain = pair(c, None, 0)
    assert len(plain[0]) == 10000 and plain[1] == 10
    for form in FORMATS:
        for n in (1, 4):
            assert pair(c, form, n) == plain, (form, n)


main(globals())
