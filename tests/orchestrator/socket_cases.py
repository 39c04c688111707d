# SPDX-License-Identifier: Apache-2.0
"""Records over sockets: what is negotiated, what is relayed byte for byte, what is counted, and what goes wrong."""
import json
import os
import subprocess
import sys
import tempfile
import time

from harness import Run, stream

KIT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "src", "connectors", "kit")
sys.path.insert(0, KIT)
from channel_test import field, frame, frames, record_frame, value  # noqa: E402

FORMATS = ("JSONL", "PROTOBUF")
BOTH = {"dataChannel": {"version": "0.0.2", "supportedSerialization": ["JSONL", "PROTOBUF"],
                        "supportedTransport": ["SOCKET", "STDIO"]}}

COMMON = f"""
import socket, threading
sys.path.insert(0, {KIT!r})
from channel_test import *
paths = os.environ["DATA_CHANNEL_SOCKET_PATHS"].split(",")
FORMAT = os.environ["DATA_CHANNEL_FORMAT"]
columns = {{}}
for s in json.load(open(option("catalog")))["streams"]:
    columns[s["stream"]["name"]] = sorted(s["stream"]["json_schema"].get("properties", {{}}))
"""

# rec() and st() speak whichever format was asked for; open_all() makes the sockets and waits for their clients.
SOURCE = COMMON + """
def bind(which=None):
    made = []
    for path in paths if which is None else [paths[i] for i in which]:
        made.append(listen(path))
    return made
def open_all():
    return [s.accept()[0] for s in bind()]
def rec(sock, stream, data, partition="", namespace=None):
    if FORMAT == "PROTOBUF":
        sock.sendall(record_frame(stream, [data.get(c) for c in columns[stream]], partition, namespace, 1))
    else:
        inner = dict(stream=stream, data=data, emitted_at=1, **({"namespace": namespace} if namespace else {}))
        if partition: inner["partition_id"] = partition
        sock.sendall(json.dumps({"type": "RECORD", "record": inner}, separators=(",", ":")).encode() + b"\\n")
def message(sock, line):
    sock.sendall(message_frame(line.encode()) if FORMAT == "PROTOBUF" else line.encode() + b"\\n")
def st(sock, stream, id, partition, n, namespace=None):
    descriptor = {"name": stream, **({"namespace": namespace} if namespace else {})}
    line = json.dumps({"type": "STATE", "state": {"type": "STREAM", "id": id, "partition_id": partition, "stream": {
        "stream_descriptor": descriptor, "stream_state": {"n": id}}, "sourceStats": {"recordCount": n}}}, separators=(",", ":"))
    message(sock, line)
    put(line)
"""

# Keeps what each socket brings, and echoes states as soon as they come.
SINK = COMMON + """
lock = threading.Lock()
def echo(line):
    with lock: put(line)
def messages(data):
    'Whole messages at the beginning, and where they end.'
    at = 0
    while True:
        if FORMAT == "JSONL":
            end = data.find(b"\\n", at)
            if end < 0: return
            yield data[at:end], end + 1
            at = end + 1
            continue
        try: n, body = read_varint(data, at)
        except IndexError: return
        if body + n > len(data): return
        (number, payload), = fields(data[body:body + n])
        at = body + n
        yield (payload if number == 2 else b""), at
def run(i):
    client = connect(paths[i])
    rest = b""
    with open(f"{HERE}/received.{i + 1}", "wb") as file:
        while chunk := client.recv(1 << 20):
            file.write(chunk); file.flush()
            rest += chunk
            at = 0
            for line, at in messages(rest):
                if line.startswith(b'{"type":"STATE"'): echo(line)
            rest = rest[at:]
threads = [threading.Thread(target=run, args=(i,)) for i in range(len(paths))]
for t in threads: t.start()
for t in threads: t.join()
"""


def columns_of(*names, **types):
    return {"type": "object", "properties": {**{n: {"type": "string"} for n in names}, **types}}


INT = {"type": "integer"}


class SocketRun(Run):
    def __init__(self, source, destination=SINK, n=2, form="PROTOBUF", options=None, **more):
        conf = dict(more.pop("conf", {}))
        super().__init__(source=SOURCE + source if source is not None else "", destination=destination, conf=conf, **more)
        with open(self.folder + "/sluice.conf", "a") as file:
            file.write(f"[Orchestrator]\nDataSockets={n}\n")
        self.n, self.form = n, form
        both = json.loads(json.dumps(BOTH))
        both["dataChannel"]["supportedSerialization"] = [form]
        for role, given in zip(("source", "destination"), options or (both, both)):
            if role in self.api.input and given is not None:
                self.api.input[role]["connectorIPCOptions"] = given

    def raw(self, i):
        with open(f"{self.folder}/received.{i}", "rb") as file:
            return file.read()

    def arrived(self, columns=None):
        """Everything, socket by socket: (kind, message); a record's values become a dict, by the names of its columns."""
        found = []
        for i in range(1, self.n + 1):
            if self.form == "JSONL":
                lines = [json.loads(line) for line in self.raw(i).splitlines()]
                found += [("record", m["record"]) if m["type"] == "RECORD" else ("message", m) for m in lines]
                continue
            for kind, message in frames(self.raw(i)):
                if kind == "record" and columns is not None:
                    assert len(message["values"]) == len(columns), (columns, message)
                    message["data"] = dict(zip(sorted(columns), map(plain, message["values"])))
                found.append((kind, message))
        return found

    def records(self, columns=None):
        return [m for kind, m in self.arrived(columns) if kind == "record"]

    def states_sent(self):
        return [m["state"] for kind, m in self.arrived() if kind == "message" and m["type"] == "STATE"]


def plain(value):
    """The JSON value of an encoded one; only what the tests send."""
    (number, payload), = value
    if number == 13:
        return None
    if number == 3:
        return (payload >> 1) ^ -(payload & 1)
    return json.loads(payload) if number == 12 else payload.decode()


def total(run):
    return run.succeeded()["stats"]["total"]


# --- what is relayed --------------------------------------------------------------------------------------------------

OUT_OF_ORDER = """
a, b, c, d = open_all()
st(d, "s", 2, "p2", 2)
rec(a, "s", {"i": 1, "t": "x"}, "p1"); rec(a, "s", {"i": 4, "t": "x"}, "p2")
st(b, "s", 1, "p1", 3); rec(b, "s", {"i": 2, "t": "x"}, "p1")
st(c, "s", 3, "p3", 0); rec(c, "s", {"i": 3, "t": "x"}, "p1")
time.sleep(0.3)
log("INFO", "the last one comes now")
rec(d, "s", {"i": 5, "t": "x"}, "p2")
status("s", "COMPLETE")
"""


def out_of_order(form):
    made = stream("s")
    made["stream"]["json_schema"] = columns_of("t", i=INT)
    run = SocketRun(OUT_OF_ORDER, n=4, form=form, streams=[made]).go()
    stats = total(run)
    assert stats["recordsEmitted"] == stats["recordsCommitted"] == 5 and stats["bytesEmitted"] == stats["bytesCommitted"] > 0
    assert stats["sourceStateMessagesEmitted"] == stats["destinationStateMessagesEmitted"] == 3
    assert sorted(r["data"]["i"] for r in run.records(["i", "t"])) == [1, 2, 3, 4, 5]
    assert sorted(s["id"] for s in run.states_sent()) == [1, 2, 3]
    assert all(r.get("partition_id", r.get("partition")) == ("p1" if r["data"]["i"] < 4 else "p2") for r in run.records(["i", "t"]))
    assert run.states()[-1]["stream"]["stream_state"] == {"n": 3}
    complete = [m for kind, m in run.arrived() if kind == "message" and m["type"] == "TRACE"]
    assert [m["trace"]["stream_status"]["status"] for m in complete] == ["COMPLETE"] * 4, "on every socket"
    assert run.said(f"records go over 4 sockets as {form}") and not run.said("differ")
    return run


def case_socket_out_of_order_jsonl():
    return out_of_order("JSONL")


def case_socket_out_of_order_protobuf():
    return out_of_order("PROTOBUF")


def case_socket_state_waits_in_the_relay():
    """A destination that believes every state at once: it is not given one whose records have not passed."""
    run = SocketRun("""
a, b = open_all()
rec(a, "s", {"i": 1}, "p1"); st(a, "s", 1, "p1", 2)
for _ in range(200):
    if os.path.exists(HERE + "/go"): break
    time.sleep(0.05)
rec(b, "s", {"i": 2}, "p1")
""", streams=[with_schema("s", i=INT)], form="JSONL").start()
    until = time.monotonic() + 30
    while not os.path.exists(run.folder + "/received.1") or b'"i":1' not in run.raw(1):
        assert time.monotonic() < until, run.log()
        time.sleep(0.02)
    time.sleep(0.5)
    assert not run.states() and b"STATE" not in run.raw(1) + run.raw(2)
    open(run.folder + "/go", "w").close()
    assert total(run.wait())["recordsCommitted"] == 2 and len(run.states()) == 1
    return run


def with_schema(name, *names, **types):
    more = {k: types.pop(k) for k in ("namespace", "mappers", "selectedFields", "primary_key", "destination_sync_mode",
                                      "cursor_field") if k in types}
    made = stream(name, **more)
    made["stream"]["json_schema"] = columns_of(*names, **types)
    return made


def case_socket_bytes_pass_as_they_are():
    """Nothing to change: the destination gets the source's own bytes, odd but valid ones included."""
    run = SocketRun(r"""
a, = open_all()
odd = frame(field(1, field(5, value(7)) + field(2, b"s") + field(99, b"?") + field(6, b"") + field(3, 5) + field(5, b"")))
a.sendall(odd + PROBE + odd)
rec(a, "s", {"a": 1, "b": "x"})
""", n=1, streams=[with_schema("s", "b", a=INT)]).go()
    run.succeeded()
    odd = frame(field(1, field(5, value(7)) + field(2, b"s") + field(99, b"?") + field(6, b"") + field(3, 5) + field(5, b"")))
    expected = odd + odd + record_frame("s", [1, "x"], emitted_at=1)
    assert run.raw(1).startswith(expected), run.raw(1)
    return run


def case_socket_jsonl_golden():
    run = SocketRun(r"""
a, = open_all()
a.sendall(b'\n{"type":"RECORD","record":{"stream":"s","emitted_at":1,"odd": [1.50 ],"data":{"a": 1e400}}}\n\r\n')
a.sendall(b'{"type":"LOG","log":{"level":"INFO","message":"over the socket"}}\nnonsense\n')
st(a, "s", 1, "p", 0)
""", n=1, form="JSONL", streams=[with_schema("s", a=INT)]).go()
    assert run.succeeded()["stats"]["total"]["recordsCommitted"] == 1
    first, second, *rest = run.raw(1).splitlines()
    assert first == b'{"type":"RECORD","record":{"stream":"s","emitted_at":1,"odd": [1.50 ],"data":{"a": 1e400}}}'
    assert second == (b'{"type":"STATE","state":{"type":"STREAM","id":1,"partition_id":"p","stream":{"stream_descriptor":'
                      b'{"name":"s"},"stream_state":{"n":1}},"sourceStats":{"recordCount":0}}}')
    assert run.said("over the socket") and run.said("nonsense")
    return run


def case_socket_split_everywhere():
    """Whatever the pieces in which bytes come."""
    run = SocketRun("""
a, = open_all()
many = b"".join(record_frame("s", [i, "x" * (i % 300)], "p") for i in range(400)) + PROBE
for i in range(0, len(many), 37): a.sendall(many[i:i + 37])
st(a, "s", 1, "p", 400)
""", n=1, streams=[with_schema("s", "b", a=INT)]).go()
    assert total(run)["recordsCommitted"] == 400
    assert [r["data"]["a"] for r in run.records(["a", "b"])] == list(range(400))
    return run


def renamed(form):
    run = SocketRun("""
a, b = open_all()
rec(a, "s", {"i": 1}, "p1", "n"); rec(b, "s", {"i": 2}, "p1", "n"); st(b, "s", 1, "p1", 2, "n")
status("s", "COMPLETE")
""", form=form, prefix="pre_", namespaceDefinition="customformat", namespaceFormat="to_${SOURCE_NAMESPACE}",
                    streams=[with_schema("s", i=INT, namespace="n")]).go()
    run.succeeded()
    records = run.records(["i"])
    assert sorted((r["namespace"], r["stream"], r["data"]["i"]) for r in records) == [("to_n", "pre_s", 1), ("to_n", "pre_s", 2)]
    assert run.states_sent()[0]["stream"]["stream_descriptor"] == {"name": "pre_s", "namespace": "to_n"}
    assert run.states()[-1]["stream"]["stream_descriptor"] == {"name": "s", "namespace": "n"}
    return run


def case_socket_names_jsonl():
    return renamed("JSONL")


def case_socket_names_protobuf():
    return renamed("PROTOBUF")


MAPPED = """
{open}
for i in range(6):
    rec({one}, "s", {{"id": i, "mail": f"m{{i}}", "keep": "yes" if i % 3 else "no", "secret": "hunter", "old": "o"}}, "p")
{end}
status("s", "COMPLETE")
"""


def mapped_stream():
    def mapper(kind, **config):
        return {"id": kind, "type": kind, "mapperConfiguration": config}
    return with_schema("s", "mail", "keep", "secret", "old", id=INT, cursor_field=["id"], primary_key=[["id"]], mappers=[
        mapper("row-filtering", conditions={"type": "EQUAL", "fieldName": "keep", "comparisonValue": "yes"}),
        mapper("hashing", targetField="mail", method="MD5", fieldNameSuffix="_hashed"),
        mapper("field-renaming", originalFieldName="old", newFieldName="aa"),
        mapper("field-filtering", targetField="keep")],
        selectedFields=[{"fieldPath": [f]} for f in ("id", "mail", "keep", "old")])


def case_socket_mappers_and_selection():
    """Over sockets, in both formats, the same comes out as through the pipe."""
    found = {}
    for form in (None, "JSONL", "PROTOBUF"):
        if form is None:
            run = Run(source="""
rec = lambda sock, stream, data, partition: record(stream, {k: v for k, v in data.items() if k != "secret"})
""" + MAPPED.format(open="", one="None", end='state("s", 1, sourceStats={"recordCount": 6})'), streams=[mapped_stream()]).go()
            found[form] = [json.loads(line)["record"]["data"] for line in run.received().splitlines() if b'"RECORD"' in line]
        else:
            run = SocketRun(MAPPED.format(open="a, b = open_all()", one="(a, b)[i % 2]", end='st(a, "s", 1, "p", 6)'),
                            form=form, streams=[mapped_stream()]).go()
            found[form] = [r["data"] for r in run.records(["aa", "id", "mail_hashed"])]
            assert run.states_sent()[0]["sourceStats"]["recordCount"] == 4, "what was filtered never comes"
            assert b"hunter" not in run.raw(1) + run.raw(2)
        stats = run.succeeded()["stats"]["total"]
        assert (stats["recordsEmitted"], stats["recordsCommitted"], stats["recordsFilteredOut"]) == (6, 4, 2), (form, stats)
        found[form].sort(key=lambda r: r["id"])
        if form is not None:
            run.close()
    assert found[None] == found["JSONL"] == found["PROTOBUF"], found
    assert [r["id"] for r in found[None]] == [1, 2, 4, 5] and set(found[None][0]) == {"id", "mail_hashed", "aa"}
    return run


def case_socket_selection_only():
    run = SocketRun("""
a, = open_all()
assert columns["s"] == ["a", "c"], columns
rec(a, "s", {"a": 1, "c": "x"})
""", n=1, streams=[with_schema("s", "b", "c", a=INT, selectedFields=[{"fieldPath": ["a"]}, {"fieldPath": ["c"]}])]).go()
    run.succeeded()
    assert run.records(["a", "c"])[0]["data"] == {"a": 1, "c": "x"}
    return run


def case_socket_global_states():
    run = SocketRun("""
a, b = open_all()
def glob(sock, id, partition, n):
    line = json.dumps({"type": "STATE", "state": {"type": "GLOBAL", "id": id, "partition_id": partition, "global": {
        "shared_state": {"lsn": id}, "stream_states": [{"stream_descriptor": {"name": x}, "stream_state": {}} for x in "st"]},
        "sourceStats": {"recordCount": n}}}, separators=(",", ":"))
    message(sock, line); put(line)
glob(a, 2, "g2", 1); glob(b, 1, "g1", 3)
rec(a, "s", {"i": 1}, "g1"); rec(b, "t", {"i": 2}, "g1"); rec(b, "t", {"i": 3}, "g2"); rec(a, "t", {"i": 4}, "g1")
""", streams=[with_schema("s", i=INT), with_schema("t", i=INT)]).go()
    body = run.succeeded()
    assert [s["stats"]["recordsCommitted"] for s in body["stats"]["streams"]] == [1, 3]
    assert sorted(s["id"] for s in run.states_sent()) == [1, 2] and run.states()[-1]["global"]["shared_state"] == {"lsn": 2}
    return run


def case_socket_committed_counts():
    """A state covers its own partitions, though records of later ones have passed before it."""
    run = SocketRun("""
a, b = open_all()
for i in range(10): rec(a, "s", {"i": i}, "p2")
rec(b, "s", {"i": 100}, "p1"); st(b, "s", 1, "p1", 1)
time.sleep(1)
error("no more", failure_type="transient_error"); sys.exit(1)
""", streams=[with_schema("s", i=INT)], conf={"commit": "100ms"}).go()
    body = run.failed("no more")
    stats = body["stats"]["total"]
    assert (stats["recordsEmitted"], stats["recordsCommitted"]) == (11, 1), stats
    assert 0 < stats["bytesCommitted"] < stats["bytesEmitted"] / 5
    return run


# --- what is negotiated -----------------------------------------------------------------------------------------------

def options(version="0.0.2", serialization=("PROTOBUF", "JSONL"), transport=("SOCKET", "STDIO")):
    return {"dataChannel": {"version": version, "supportedSerialization": list(serialization), "supportedTransport": list(transport)}}


def case_socket_negotiation():
    echo = 'status("s", "COMPLETE")\nlog("INFO", "format " + os.environ.get("DATA_CHANNEL_FORMAT", "none"))'
    both_ways = """
if "DATA_CHANNEL_MEDIUM" in os.environ:
    socks = open_all()
""" + echo
    for source, destination, n, expected in [
        (options(), options(), 2, "PROTOBUF"),
        (options(serialization=["JSONL"]), options(), 2, "JSONL"),
        (options(version="0.0.3"), options(version="0.0.3"), 2, "JSONL"),
        (options(version="0.0.3", serialization=["PROTOBUF"]), options(version="0.0.3"), 2, None),
        (options(version="0.0.1"), options(), 2, None),
        (options(serialization=["JSONL"]), options(serialization=["PROTOBUF"]), 2, None),
        (options(transport=["STDIO"]), options(), 2, None),
        (options(transport=["STDIO", "SOCKET"]), options(transport=["STDIO", "SOCKET"]), 2, None),
        (options(transport=["STDIO", "SOCKET"]), options(), 2, "PROTOBUF"),
        (None, options(), 2, None),
        (options(), None, 2, None),
        ({"dataChannel": 5}, {"other": []}, 2, None),
        (options(), options(), 0, None),
    ]:
        guard = 'if "DATA_CHANNEL_MEDIUM" not in os.environ:\n'
        prelude = "\n".join("    " + line for line in SOURCE.splitlines())
        run = SocketRun(None, n=n, form=expected or "JSONL", options=(source, destination), destination=guard + "    for line in sys.stdin: pass\n"
                        + "else:\n" + "\n".join("    " + line for line in SINK.splitlines()))
        with open(run.folder + "/source.py", "a") as file:
            file.write('if "DATA_CHANNEL_MEDIUM" in os.environ:\n' + prelude + "\n" + both_ways)
        run.go().succeeded()
        assert run.said("format " + (expected or "none")), (source, destination, n, expected, run.log())
        run.close()
    return run


# --- what goes wrong --------------------------------------------------------------------------------------------------

def broken(source, *texts, origin="source", **more):
    run = SocketRun(source, streams=[with_schema("s", "b", a=INT)], **more).go()
    run.failed(*texts, origin=origin)
    return run


def case_socket_half_a_frame():
    return broken("""
a, = open_all()
rec(a, "s", {"a": 1}, "p"); a.sendall(record_frame("s", [1, "xxxxxxx"])[:-3])
""", "socket 1 ended in the middle of message 2", n=1)


def case_socket_half_a_line():
    return broken("""
a, = open_all()
a.sendall(b'{"type":"RECORD","record":{"stream":"s","data":{"a":1}}}')
""", "socket 1 ended in the middle of message 1", n=1, form="JSONL")


def case_socket_malformed_frames():
    for text, expected in [
        (r'b"\xff\xff\xff\xff\xff\x01"', "message 0: a message without a valid length"),
        (r'frame(b"\x0a\x05\x12\x01s")', "message 1: a broken field"),
        ('record_frame("t", [1])', "a record of stream 't'"),
        ('record_frame("s", [1, "x", 2])', "more values than its stream's schema has columns"),
        ('message_frame(b\'{"type":"RECORD","record":{"stream":"s","data":{}}}\')', "a record as text"),
        ('message_frame(b\'{"type":"STATE","state":{"type":"STREAM","stream":{"stream_descriptor":{"name":"s"}}}}\') + PROBE', "a state without id on one of 2 sockets"),
        ('message_frame(b\'{"type":"STATE","state":5}\')', "a state"),
        (r'b"\xff\xff\xff\xff\x7f"', "announced a message of"),
    ]:
        run = SocketRun(f"""
a, b = open_all()
rec(b, "s", {{"a": 1}}, "p")
a.sendall({text})
time.sleep(30)
""", streams=[with_schema("s", "b", a=INT)]).go()
        run.failed(expected, origin="source")
        run.close()
    return run


def case_socket_never_comes():
    return broken("""
one = bind([0])[0].accept()[0]
rec(one, "s", {"a": 1}, "p")
""", "source has ended without opening its socket 2")


def case_socket_never_comes_and_source_fails():
    """The source's own words are why, not what they led to."""
    run = broken('error("no such table", failure_type="config_error"); sys.exit(1)', "no such table")
    assert len(run.end()[1]["output"]["failures"]) <= 2
    return run


def case_socket_is_open_to_its_peer():
    """Whatever umask the connectors' unit has: the orchestrator is another user."""
    run = SocketRun("""
a, b = open_all()
log("INFO", "mode %o" % (os.stat(paths[0]).st_mode & 0o777))
rec(a, "s", {"a": 1}, "p")
""", streams=[with_schema("s", "b", a=INT)])
    run.argv = ["/bin/sh", "-c", 'umask 077; exec "$@"', "-"] + run.argv
    run.go().succeeded()
    assert run.said("mode 777"), run.log()
    return run


def case_socket_late():
    run = SocketRun("""
time.sleep(0.7)
a = bind([0])[0].accept()[0]
time.sleep(0.7)
b = bind([1])[0].accept()[0]
rec(b, "s", {"a": 1}, "p"); st(a, "s", 1, "p", 1)
""", destination="time.sleep(0.5)\n" + SINK, streams=[with_schema("s", "b", a=INT)]).go()
    assert total(run)["recordsCommitted"] == 1
    return run


def case_socket_stale_file():
    run = SocketRun("""
listen(paths[0]).close(); time.sleep(0.2); os.unlink(paths[0])
a, b = open_all()
rec(b, "s", {"a": 1}, "p")
""", streams=[with_schema("s", "b", a=INT)]).go()
    run.succeeded()
    return run


def case_socket_source_dies_in_a_record():
    """What it had sent whole is delivered; what it had finished is committed."""
    run = SocketRun("""
a, b = open_all()
rec(a, "s", {"a": 1}, "p1"); st(b, "s", 1, "p1", 1)
a.sendall(record_frame("s", [2, "xxxxxxxxxxxx"], "p2")[:-4])
time.sleep(1)
os.kill(os.getpid(), signal.SIGKILL)
""", streams=[with_schema("s", "b", a=INT)]).go()
    body = run.failed("signal 9", origin="source")
    assert "middle of message" not in json.dumps(body["output"]["failures"])
    assert [r["data"]["a"] for r in run.records(["a", "b"])] == [1]
    assert len(run.states()) == 1 and body["stats"]["total"]["recordsCommitted"] == 1
    return run


def case_socket_records_are_missing():
    run = broken("""
a, b = open_all()
rec(a, "s", {"a": 1}, "p1"); st(b, "s", 1, "p1", 2); status("s", "COMPLETE")
""", "state 1 says that partition 'p1' has 2 records, and only 1 came")
    assert not run.states()
    return run


def case_socket_more_records_than_said():
    return broken("""
a, b = open_all()
rec(a, "s", {"a": 1}, "p1"); rec(a, "s", {"a": 2}, "p1"); st(a, "s", 1, "p1", 1)
time.sleep(30)
""", "partition 'p1' has 1 records, and 2 came")


def case_socket_long_messages():
    """20 MB go through; what is longer than MaxLine= does not, whether it is announced or just goes on."""
    for form in FORMATS:
        run = SocketRun("""
a, = open_all()
rec(a, "s", {"a": 1, "b": "x" * 20000000}, "p"); rec(a, "s", {"a": 2}, "p"); st(a, "s", 1, "p", 2)
""", n=1, form=form, streams=[with_schema("s", "b", a=INT)]).go()
        assert total(run)["recordsCommitted"] == 2 and run.raw(1).count(b"x") >= 20000000
        run.close()
        run = SocketRun("""
a, = open_all()
try: rec(a, "s", {"a": 1, "b": "x" * 20000000}, "p")
except OSError: pass
time.sleep(30)
""", n=1, form=form, conf={"max_line": "1M"}, streams=[with_schema("s", "b", a=INT)]).go()
        run.failed("see MaxLine= in sluice.conf", origin="source")
        run.close()
    return run


def case_socket_record_on_stdout():
    return broken("""
a, b = open_all()
record("s", {"a": 1})
time.sleep(30)
""", "a record on its standard output")


def case_socket_key_is_missing():
    for form in FORMATS:
        run = SocketRun("""
a, b = open_all()
rec(a, "s", {"a": 1, "b": "x"}, "p"); rec(a, "s", {"b": "x"}, "p")
time.sleep(30)
""", form=form, streams=[with_schema("s", "b", a=INT, primary_key=[["a"]], destination_sync_mode="append_dedup")]).go()
        run.failed("primary key (a) is missing", origin="source")
        run.close()
    return run


def case_socket_unmappable():
    run = SocketRun("""
a, b = open_all()
a.sendall(record_frame("s", [field(12, b'{"x":1}'), 1], "p"))
time.sleep(30)
""", streams=[with_schema("s", "mail", z=INT, mappers=[{"id": "m", "type": "encryption", "mapperConfiguration": {
        "algorithm": "RSA", "targetField": "mail", "fieldNameSuffix": "_e", "publicKey": "00"}}])]).go()
    run.failed()
    assert not os.path.exists(run.folder + "/received.1") or b"mail" not in run.raw(1)
    return run


def case_socket_destination_dies():
    run = SocketRun("""
a, b = open_all()
try:
    for i in range(1000000): rec((a, b)[i % 2], "s", {"a": i, "b": "x" * 500}, "p")
except OSError: pass
time.sleep(30)
""", destination=COMMON + """
a, b = [connect(p) for p in paths]
a.recv(100)
error("the disk is full", failure_type="transient_error"); sys.exit(1)
""", streams=[with_schema("s", "b", a=INT)]).go()
    run.failed("the disk is full", origin="destination")
    return run


def case_socket_destination_never_connects():
    run = SocketRun("""
a, b = open_all()
rec(a, "s", {"a": 1}, "p"); rec(b, "s", {"a": 1}, "p")
time.sleep(60)
""", destination=COMMON + "c = connect(paths[0])\ntime.sleep(60)\n", conf={"stall": "1s"},
                    streams=[with_schema("s", "b", a=INT)]).go()
    run.failed("has taken nothing", origin="destination")
    return run


def case_socket_source_is_silent():
    run = SocketRun("a, b = open_all()\ntime.sleep(60)\n", conf={"silence": "1s"}, streams=[with_schema("s", a=INT)]).go()
    run.failed("source has sent nothing", origin="source")
    return run


def case_socket_gone():
    """The workload is somebody else's: the destination is killed before it can take the end of its sockets for the end."""
    run = SocketRun("""
a, b = open_all()
rec(a, "s", {"a": 1}, "p1"); st(b, "s", 1, "p1", 1)
time.sleep(60)
""", destination=COMMON + """
a, b = [connect(p) for p in paths]
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for sock in (a, b):
    while sock.recv(1 << 16): open(HERE + "/began", "w").close()
open(HERE + "/ended", "w").close()
time.sleep(60)
""", streams=[with_schema("s", a=INT)]).start()
    until = time.monotonic() + 30
    while not os.path.exists(run.folder + "/began"):
        assert time.monotonic() < until, run.log()
        time.sleep(0.02)
    run.api.faults["heartbeat"] = ["always", 410]
    run.wait()
    assert run.status == 2, run.status
    assert not os.path.exists(run.folder + "/ended"), "it saw an end"
    return run


def case_socket_cancel():
    run = SocketRun("""
a, b = open_all()
rec(a, "s", {"a": 1}, "p1"); st(b, "s", 1, "p1", 1)
time.sleep(60)
""", streams=[with_schema("s", a=INT)]).start()
    until = time.monotonic() + 30
    while not run.states():
        assert time.monotonic() < until, run.log()
        time.sleep(0.02)
    run.api.cancel = True
    run.wait()
    assert run.end()[0] == "cancel"
    return run


# --- native connectors ------------------------------------------------------------------------------------------------

def native(form, n, source_config, **more):
    programs = os.environ["CONNECTORS"]
    with tempfile.NamedTemporaryFile("w") as file:
        file.write("{}")
        file.flush()
        said = subprocess.run([programs + "/source-sample", "discover", "--config", file.name], stdout=subprocess.PIPE, check=True)
    schemas = {s["name"]: s["json_schema"] for s in json.loads(said.stdout)["catalog"]["streams"]}
    streams = [stream(name, cursor_field=["updated_at"], primary_key=[["id"]]) for name in ("users", "purchases")]
    for made in streams:
        made["stream"]["json_schema"] = schemas[made["stream"]["name"]]
    run = SocketRun(None, n=n, form=form or "JSONL", options=(None, None) if form is None else None, streams=streams, commands={
        "source": programs + "/source-sample",
        "destination": f"/usr/bin/env SLUICE_LOCAL_ROOT=@/made {programs}/destination-local-json"}, **more)
    run.api.input["source"]["configuration"] = source_config
    run.api.input["destination"]["configuration"] = {"destination_path": "/local/out"}
    return run


def tables(run):
    found, folder = {}, run.folder + "/made/out"
    for name in sorted(os.listdir(folder)):
        with open(f"{folder}/{name}", encoding="utf-8") as file:
            found[name] = sorted(json.dumps(json.loads(line)["_airbyte_data"], sort_keys=True) for line in file)
    return found


def case_socket_native_connectors():
    """The same tables through the pipe, as lines and as frames, over one socket and over four."""
    if not os.environ.get("CONNECTORS"):
        return "CONNECTORS is not set"
    config = {"count": 20000, "seed": 9, "always_updated": False}
    expected = None
    for form, n in ((None, 2), ("JSONL", 1), ("JSONL", 4), ("PROTOBUF", 1), ("PROTOBUF", 4)):
        run = native(form, n, config, prefix="x_").go(60)
        stats = total(run)
        assert stats["recordsEmitted"] == stats["recordsCommitted"] == 40000, stats
        assert stats["bytesEmitted"] == stats["bytesCommitted"] and stats["destinationStateMessagesEmitted"] == 40, stats
        assert run.said("records go over") == (form is not None)
        expected = expected or tables(run)
        assert tables(run) == expected, (form, n)
        run.close()
    assert sum(map(len, expected.values())) == 40000
    return run


def case_socket_killed_and_resumed():
    """kill -9 of the orchestrator in the middle; the next run goes on at the committed states: every record is there."""
    if not os.environ.get("CONNECTORS"):
        return "CONNECTORS is not set"
    config = {"count": 150000, "seed": 9, "always_updated": False}
    first = native("PROTOBUF", 4, config, conf={"commit": "100ms"}).start()
    until = time.monotonic() + 60
    while not first.states():
        assert time.monotonic() < until and first.process.poll() is None, first.log()
        time.sleep(0.005)
    first.process.kill()
    first.process.wait()
    states = {json.dumps(s["stream"]["stream_descriptor"]): s for s in first.states()}
    second = native("PROTOBUF", 4, config, state=list(states.values()))
    time.sleep(1)  # the first one's connectors see the end of their sockets
    os.rename(first.folder + "/made", second.folder + "/made")
    second.go(120).succeeded()
    found = tables(second)
    for rows in found.values():
        ids = {json.loads(row)["id"] for row in rows}
        assert len(ids) == 150000 and max(ids) == 150000, len(ids)
    sent = total(second)["recordsEmitted"]
    assert sent < 300000, "it began anew"
    first.close()
    return second
