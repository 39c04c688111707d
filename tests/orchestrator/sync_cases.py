# SPDX-License-Identifier: Apache-2.0
"""Syncs: what must come out for what goes in, and every way a connector, the API or the host can break."""
import json
import os
import re
import signal
import struct
import time

from harness import SINK, Run, stream

COMPLETE = re.compile(rb'"emitted_at":[0-9]{13},"stream_status"')


def golden(run):
    """What the destination got, with the time of our own traces made equal."""
    return COMPLETE.sub(b'"emitted_at":0,"stream_status"', run.received())


def complete(name, ns=None):
    ns = f',"namespace":"{ns}"' if ns else ""
    return ('{"type":"TRACE","trace":{"type":"STREAM_STATUS","emitted_at":0,"stream_status":{"stream_descriptor":{"name":"%s"%s},'
            '"status":"COMPLETE"}}}\n' % (name, ns)).encode()


# --- what goes through ------------------------------------------------------------------------------------------------

ODD_LINES = rb"""{"type":"RECORD","record":{"stream":"s","data":{"n":[1e400,0.1000,-0,1.0E2,12345678901234567890],"n":1},"emitted_at":1}}
{ "record" : { "emitted_at":1, "data" : {"\u00e9":"\ud83d\ude00 \/"} , "later":{"x":[]}, "stream":"\u0073"} ,"type":"RECORD", "new":null}
{"type":"RECORD","record":{"stream":"s","namespace":null,"data":{},"emitted_at":1,"meta":{"changes":[]}}}
{"type":"RECORD","record":{"stream":"s","namespace":"","data":{"a":"x"},"emitted_at":1}}"""


def case_bytes_pass_unchanged():
    run = Run(source=f"""
for line in {ODD_LINES!r}.split(b"\\n"):
    put(line)
put('{{"type":"STATE","state":{{"partition_id":"p","type":"STREAM","stream":{{"stream_descriptor":{{"name":"s"}},"stream_state":{{"k": 1.50}}}}}}}}')
""").go()
    body = run.succeeded()
    kept = '{"partition_id":"p","type":"STREAM","stream":{"stream_descriptor":{"name":"s"},"stream_state":{"k": 1.50}}}'
    assert golden(run) == ODD_LINES + b"\n" + (
        '{"type":"STATE","state":{"id":1,"sourceStats":{"recordCount":4},' + kept[1:] + "}\n").encode() + complete("s")
    assert any(kept.encode() in raw for call, raw in run.api.raw)  # the source's bytes, without the id
    assert body["stats"]["total"]["recordsCommitted"] == 4
    datas = [b'{"n":[1e400,0.1000,-0,1.0E2,12345678901234567890],"n":1}', rb'{"\u00e9":"\ud83d\ude00 \/"}', b"{}", b'{"a":"x"}']
    assert body["stats"]["total"]["bytesEmitted"] == sum(map(len, datas))
    return run


def case_crlf_and_missing_last_newline():
    run = Run(source=r"""
out.write(b'{"type":"RECORD","record":{"stream":"s","data":{},"emitted_at":1}}\r\n\r\n   \n')
out.write(b'{"type":"RECORD","record":{"stream":"s","data":{"a":1},"emitted_at":1}}')
""").go()
    run.succeeded()
    assert golden(run) == (b'{"type":"RECORD","record":{"stream":"s","data":{},"emitted_at":1}}\r\n'
                           b'{"type":"RECORD","record":{"stream":"s","data":{"a":1},"emitted_at":1}}\n' + complete("s"))
    return run


def case_renamed():
    run = Run(source="""
record("s", {"a": 1}); record("t", {"b": 2}, namespace="n"); record("s", {}, namespace=None); state("s", 1)
""", streams=[stream("s"), stream("t", namespace="n")], namespaceDefinition="customformat",
              namespaceFormat="x_${SOURCE_NAMESPACE}", prefix="p_").go()
    run.succeeded()
    assert golden(run).decode().split("\n")[:4] == [
        '{"type":"RECORD","record":{"namespace":"x_","stream":"p_s","data":{"a":1},"emitted_at":1}}',
        '{"type":"RECORD","record":{"stream":"p_t","data":{"b":2},"emitted_at":1,"namespace":"x_n"}}',
        '{"type":"RECORD","record":{"stream":"p_s","data":{},"emitted_at":1,"namespace":"x_"}}',
        '{"type":"STATE","state":{"id":1,"sourceStats":{"recordCount":2},"type":"STREAM","stream":{"stream_descriptor":{"namespace":"x_","name":"p_s"},"stream_state":1}}}']
    assert run.states() == [{"type": "STREAM", "stream": {"stream_descriptor": {"name": "s"}, "stream_state": 1}}]
    assert golden(run).endswith(complete("p_s", "x_") + complete("p_t", "x_n"))
    return run


def case_files_and_environment():
    run = Run(source="""
keep = [open(option(n)).read() for n in ("config", "catalog", "state")] + [os.environ["WORKER_JOB_ID"], sys.argv[1]]
json.dump(keep, open(HERE + "/source.json", "w"))
""", destination="json.dump([open(option('catalog')).read(), sys.argv[1]], open(HERE + '/destination.json', 'w'))" + SINK,
              streams=[stream("s", destination_sync_mode="overwrite", generation_id=2, minimum_generation_id=2)], prefix="p_",
              state=[{"type": "STATE", "state": {"type": "STREAM", "stream": {"stream_descriptor": {"name": "s"}}}}]).go()
    run.succeeded()
    config, catalog, state, job, operation = json.load(open(run.folder + "/source.json"))
    assert json.loads(config) == {"password": "hunter22", "n": 1}
    assert json.loads(catalog)["streams"][0]["destination_sync_mode"] == "overwrite"
    assert json.loads(state) == [{"type": "STREAM", "stream": {"stream_descriptor": {"name": "s"}}}]
    assert (job, operation) == ("7", "read")
    catalog, operation = json.load(open(run.folder + "/destination.json"))
    configured = json.loads(catalog)["streams"][0]
    assert (configured["stream"]["name"], configured["destination_sync_mode"]) == ("p_s", "append")
    assert configured["minimum_generation_id"] == 2 and operation == "write"
    assert not os.path.exists(run.folder + "/run/" + "550e8400e29b41d4a716446655440000")  # nothing is left behind
    return run


def case_only_reported_streams_are_complete():
    run = Run(source="""
status("s", "STARTED"); status("t", "STARTED"); record("s", {}); status("s", "COMPLETE"); status("t", "INCOMPLETE")
""", streams=[stream("s"), stream("t"), stream("u")]).go()
    run.succeeded()
    assert golden(run).endswith(b"\n" + complete("s")) and golden(run).count(b"STREAM_STATUS") == 1
    assert run.said("has not reported stream 't' as complete") and run.said("has not reported stream 'u' as complete")
    return run


def case_log_trace_control():
    run = Run(source=r"""
log("WARN", "careful\nwith hunter22"); put("plain words"); sys.stderr.write("to stderr hunter22\n")
say("TRACE", "trace", type="ESTIMATE", emitted_at=1, estimate={"name": "s", "type": "STREAM", "row_estimate": 9})
say("CONTROL", "control", type="CONNECTOR_CONFIG", emitted_at=1, connectorConfig={"config": {"old": 1}})
put('{"type":"CONTROL","control":{"type":"CONNECTOR_CONFIG","emitted_at":1,"connectorConfig":{"config":{"t": 1.0}}}}')
record("s", {})
""").go()
    body = run.succeeded()
    assert run.configs()[-1] == {"source": {"t": 1.0}}
    assert body["stats"]["total"]["estimatedRecords"] == 9
    assert run.said("careful\nwith ******", level="WARN", logSource="source")
    assert run.said("plain words", level="INFO", logSource="source")
    assert run.said("to stderr ******", logSource="source")
    assert "hunter22" not in json.dumps(run.log())
    assert golden(run).count(b"\n") == 2
    return run


def case_reset():
    streams = [stream("s"), stream("t", namespace="n")]
    run = Run(source=None, streams=streams, isReset=True, state=[]).go()
    run.succeeded()
    assert golden(run) == (
        b'{"type":"STATE","state":{"id":1,"sourceStats":{"recordCount":0},"type":"STREAM","stream":{"stream_descriptor":{"name":"s"},"stream_state":null}}}\n'
        b'{"type":"STATE","state":{"id":2,"sourceStats":{"recordCount":0},"type":"STREAM","stream":{"stream_descriptor":{"name":"t","namespace":"n"},"stream_state":null}}}\n'
        + complete("s") + complete("t", "n"))
    assert [s["stream"]["stream_state"] for s in run.states()] == [None, None]
    run.close()
    old = {"type": "GLOBAL", "global": {"shared_state": {"lsn": 5}, "stream_states": [
        {"stream_descriptor": {"name": "s"}, "stream_state": 1}, {"stream_descriptor": {"name": "other"}, "stream_state": 2}]}}
    run = Run(source=None, streams=[stream("s")], isReset=True, state=[old]).go()
    run.succeeded()
    assert run.states() == [{"type": "GLOBAL", "global": {"stream_states": [
        {"stream_descriptor": {"name": "s"}, "stream_state": None}, {"stream_descriptor": {"name": "other"}, "stream_state": 2}],
        "shared_state": {"lsn": 5}}}]
    return run


def case_state_is_flushed_at_once():
    run = Run(source="""
record("s", {}); state("s", 1)
for _ in range(100):
    if os.path.exists(HERE + "/go"): break
    time.sleep(0.05)
else: sys.exit(9)
""").start()
    until = time.monotonic() + 5
    while not run.states() and time.monotonic() < until:
        time.sleep(0.02)
    assert len(run.states()) == 1, run.log()
    open(run.folder + "/go", "w").close()
    run.wait().succeeded()
    return run


def case_memory_is_flat():
    """A million records between native connectors; the destination must have counted what we did."""
    programs = os.environ.get("CONNECTORS")
    if not programs:
        return "CONNECTORS is not set"
    run = Run(source="", streams=[stream("users"), stream("purchases")], prefix="p_",
              commands={"source": programs + "/source-sample", "destination": programs + "/destination-dev-null"})
    run.api.input["source"]["configuration"] = {"count": 500_000, "seed": 1, "records_per_slice": 100}
    run.api.input["destination"]["configuration"] = {"test_destination": {"test_destination_type": "SILENT"}}
    run.start()
    peak = 0
    while run.process.poll() is None:
        with open(f"/proc/{run.process.pid}/status") as file:
            peak = max([peak] + [int(line.split()[1]) for line in file if line.startswith("VmHWM")])
        time.sleep(0.02)
    run.wait()
    total = run.succeeded()["stats"]["total"]
    assert total["recordsCommitted"] == 1_000_000 and total["destinationStateMessagesEmitted"] == 10_000
    assert run.said("stream 'p_users': 500000 records") or run.said("stream 'users': 500000 records"), run.log()[-5:]
    assert 1000 < peak < (32 << 10) or os.environ.get("ASAN_OPTIONS"), f"{peak} kB"
    return run


# --- what is wrong with the source ------------------------------------------------------------------------------------

def case_garbage_is_logged():
    run = Run(source=r"""
put("hello"); put("{"); put("[1,2]"); put('{"type":"NONSENSE"}'); put('{"type":"RECORD"'); put(b"\xff\xfe\x00")
record("s", {}); put('{"type":"STATE","state":{"type":"STREAM","stream":'); state("s", 1)
""").go()
    run.succeeded()
    assert golden(run).count(b"\n") == 3
    assert run.said("hello") and run.said("\ufffd\ufffd\x00")
    return run


def case_broken_record_fails():
    run = Run(source="""
record("s", {"a": 1}); state("s", 1)
put('{"type":"RECORD","record":{"stream":"s","data":{"a":2,"emitted_at":1}}')
record("s", {"a": 3}); state("s", 3)
time.sleep(20)
""").go()
    run.failed("The source sent a broken record: ", origin="source")
    assert run.states() == [{"type": "STREAM", "stream": {"stream_descriptor": {"name": "s"}, "stream_state": 1}}]
    assert golden(run).count(b"\n") == 2 and b"COMPLETE" not in golden(run)
    assert run.took < 10
    return run


def case_half_a_line():
    run = Run(source="""record("s", {}); state("s", 1); out.write(b'{"type":"RECORD","record":{"stream":"s","da')""").go()
    run.failed("The source's output ended in the middle of a message", origin="source")
    assert golden(run).count(b"\n") == 2 and len(run.states()) == 1
    return run


def case_unknown_stream():
    run = Run(source="""record("s", {}); record("z", {}, namespace="n"); time.sleep(20)""").go()
    run.failed("record of stream 'z' (namespace 'n'), which is not in the catalog", origin="source")
    return run


def case_50_mb_line():
    run = Run(source="""
state("s", 0); record("s", {"x": "y" * 50_000_000}); record("s", {"x": "z"}); state("s", 1)
""", destination="""
n = 0
for line in sys.stdin.buffer:
    n = max(n, len(line))
    if b'"STATE"' in line[:20]: put(line.rstrip())
open(HERE + "/longest", "w").write(str(n))
""").go()
    run.succeeded()
    assert int(open(run.folder + "/longest").read()) > 50_000_000
    assert len(run.states()) >= 1
    return run


def case_line_over_the_limit():
    run = Run(source="""record("s", {}); state("s", 1); record("s", {"x": "y" * 3_000_000}); time.sleep(20)""",
              conf={"max_line": "1M"}).go()
    run.failed("line of more than 1048576 bytes (stream 's')", "MaxLine=", origin="source")
    assert len(run.states()) == 1 and run.took < 10
    return run


def case_no_output():
    run = Run(source="pass").go()
    run.succeeded()
    assert golden(run) == complete("s")
    return run


def case_mixed_states():
    run = Run(source="""
state("s", 1); say("STATE", "state", type="GLOBAL", **{"global": {"stream_states": []}}); time.sleep(20)""").go()
    run.failed("state of type GLOBAL behind states of type STREAM", origin="source")
    return run


ENDS = [
    ("sys.exit(3)", "The source ended with exit code 3"),
    ("sys.stderr.write('my last words hunter22'); sys.exit(3)", "last lines of stderr: my last words ******"),
    ("error('no table hunter22', failure_type='config_error'); sys.exit(1)", "no table ******"),
    ("error('no table'); sys.exit(1)", "The source ended with exit code 1, after it said: no table"),
    ("sys.stdout.flush(); os.kill(os.getpid(), 9)", "The source was killed (signal 9): by the kernel because it needed more memory than it may, or by hand"),
    ("os.kill(os.getpid(), 11)", "The source was ended by signal 11"),
    ("sys.exit(137)", "exit code 137: a process of it was killed"),
    ("sys.exit(127)", "exit code 127: its program, or one that it calls, was not found"),
    ("os.kill(os.getppid(), 9); time.sleep(20)", "The source ended without its exit status being known"),
]


def case_ways_of_the_source_to_die():
    for code, text in ENDS:
        run = Run(source=f"record('s', {{}}); state('s', 1); record('s', {{}}); {code}").go()
        body = run.failed(text, origin="source")
        assert "hunter22" not in json.dumps(body)
        # what was read is delivered and committed all the same, and no stream is complete
        assert len(run.states()) == 1, run.log()
        assert golden(run).count(b"\n") == 3 and b"COMPLETE" not in golden(run)
        first = body["output"]["failures"][0]
        assert first["failureType"] == ("config_error" if "config" in code else "system_error")
        run.close()
    return run


def case_cannot_be_started():
    run = Run(source="", commands={"source": "/does/not/exist"}).go()
    run.failed("The source could not be started: sluice-init: ", "/does/not/exist", origin="source")
    run.close()
    run = Run(source="time.sleep(20)", commands={"destination": "/does/not/exist"}).go()
    run.failed("The destination could not be started: sluice-init: ", origin="destination")
    assert run.took < 10
    return run


def case_source_hangs():
    run = Run(source="record('s', {}); state('s', 1); time.sleep(60)", conf={"silence": "2s"}).go()
    body = run.failed("The source has sent nothing for ", origin="source")
    assert body["output"]["failures"][0]["failureType"] == "heartbeat_timeout"
    assert len(run.states()) == 1 and 2 <= run.took < 15
    return run


def case_back_pressure_is_not_silence():
    run = Run(source="""
for i in range(40): record("s", {"x": "y" * 100_000})
state("s", 1)
""", destination="time.sleep(5)" + SINK, conf={"silence": "2s"}).go()
    run.succeeded()
    assert run.took >= 5
    return run


def case_orphan_holds_the_pipe():
    run = Run(source="""
record("s", {})
if os.fork() == 0:
    os.setsid(); time.sleep(30)
""").go()
    run.succeeded()
    assert run.took < 15
    return run


# --- what is wrong with the destination -------------------------------------------------------------------------------

def case_ways_of_the_destination_to_die():
    feed = "state('s', 0)\nfor i in range(200000): record('s', {'n': i})\nstate('s', 1)\n"
    for code, text in ENDS:
        run = Run(source=feed, destination=f"""
put(sys.stdin.buffer.readline().rstrip()); sys.stdin.buffer.readline()
{code}
""").go()
        run.failed(text.replace("The source", "The destination"), origin="destination")
        assert [s["stream"]["stream_state"] for s in run.states()] == [0], run.states()
        run.close()
    return run


def case_destination_closes_stdin():
    run = Run(source="""
for i in range(100000): record("s", {"x": "y" * 100})
time.sleep(60)""", destination="""
sys.stdin.buffer.readline(); os.close(0); time.sleep(0.3); error("the table is gone"); sys.exit(1)
""").go()
    body = run.failed("the table is gone", origin="destination")
    assert "ended with exit code 1, after it said: the table is gone" in body["output"]["failures"][1]["externalMessage"]
    assert len(body["output"]["failures"]) == 2 and run.took < 15
    return run


def case_destination_ends_early_with_0():
    run = Run(source="for i in range(100000): record('s', {'x': 'y' * 100})",
              destination="put(b'bye'); sys.stdin.buffer.readline()").go()
    run.failed("The destination ended before it had been given all records", origin="destination")
    return run


def case_destination_stalls():
    run = Run(source="for i in range(100000): record('s', {'x': 'y' * 100})", destination="time.sleep(60)",
              conf={"stall": "2s"}).go()
    body = run.failed("The destination has taken nothing for ", origin="destination")
    assert body["output"]["failures"][0]["failureType"] == "destination_timeout"
    run.close()
    run = Run(source="record('s', {})", destination=SINK + "\ntime.sleep(60)", conf={"stall": "2s"}).go()
    run.failed("The destination has not finished within ", origin="destination")
    return run


def case_both_sides_full():
    """Megabytes of answers while stdin is full: neither may wait for the other."""
    run = Run(source="""
for i in range(30000): record("s", {"x": "y" * 200})
state("s", 1)""", destination="""
for i in range(20000): log("INFO", "z" * 200)
for line in sys.stdin.buffer:
    if b'"STATE"' in line[:20]: put(line.rstrip())
    elif b'"RECORD"' in line[:20]: log("INFO", "got one of them " + "z" * 100)
""", conf={"max_log": "100M"}).go()
    assert run.succeeded()["stats"]["total"]["recordsCommitted"] == 30000
    assert sum(line["message"].startswith("got one") for line in run.log()) == 30000
    return run


def case_odd_answers():
    run = Run(source="record('s', {}); state('s', 1); record('s', {}); state('s', 2)", destination="""
for line in sys.stdin.buffer:
    if not line.startswith(b'{"type":"STATE"'): continue
    message = json.loads(line)
    if message["state"]["id"] == 1:
        put(line.rstrip()); put(line.rstrip())
        put("not a message"); put('{"type":"STATE","state":5}'); put('{"type":"STATE"')
        message["state"]["id"] = 99; put(json.dumps(message))
        out.write(b"half a line without an end")
""").go()
    body = run.succeeded()
    assert [s["stream"]["stream_state"] for s in run.states()] == [1]
    assert run.said("acknowledged state 99, which was never sent")
    assert run.said("has never acknowledged the last 1 states")
    assert body["stats"]["total"]["destinationStateMessagesEmitted"] == 1
    return run


def case_stderr_flood():
    run = Run(source="""
for i in range(50000): sys.stderr.write("line %d of a flood\\n" % i)
sys.stderr.write("x" * 1000000); record("s", {})""").go()
    run.succeeded()
    assert run.said("of the source's stderr were left out") and len(run.log()) < 5000
    return run


# --- what is wrong with the rest --------------------------------------------------------------------------------------

SLOW = "\nfor i in range(600):\n    record('s', {'i': i}); state('s', i); time.sleep(0.1)\n"


def case_gone_on_heartbeat():
    """The destination must not take the end of our pipe for the end of the records."""
    run = Run(source=SLOW, destination=SINK + "\nopen(HERE + '/finished', 'w')").start()
    run.api.faults["heartbeat"] = ["always", 410]
    run.wait(15)
    assert run.status == 2 and not run.api.ended.is_set()
    assert run.api.count("success") + run.api.count("failure") + run.api.count("cancel") == 0
    assert run.said("not ours any more")
    assert not os.path.exists(run.folder + "/finished")
    return run


def case_gone_on_commit():
    run = Run(source=SLOW).start()
    run.api.faults["commit"] = ["always", 410]
    run.wait(15)
    assert run.status == 2 and run.api.count("failure") == 0
    return run


def case_gone_before_start():
    for fault, status in ((410, 2), (404, 2), (401, 1)):
        run = Run(source="open(HERE + '/ran', 'w')")
        run.api.faults["running"] = ["always", fault]
        run.go()
        assert run.status == status and not os.path.exists(run.folder + "/ran")
        run.close()
    return run


def case_api_away_for_a_while():
    run = Run(source="for i in range(40):\n    record('s', {}); state('s', i); time.sleep(0.1)").start()
    time.sleep(0.8)
    run.api.close()
    time.sleep(2.5)
    run.api.open()
    run.wait()
    assert run.succeeded()["stats"]["total"]["recordsCommitted"] == 40
    assert run.states()[-1]["stream"]["stream_state"] == 39
    return run


def case_api_away_for_good():
    run = Run(source=SLOW).start()
    time.sleep(0.8)
    run.api.close()
    run.wait(15)
    assert run.status == 2 and 4 <= run.took < 10, run.took  # lease 6 s, less the margin
    assert run.said("could not be reached")
    return run


def case_api_faults_are_retried():
    run = Run(source="for i in range(10):\n    record('s', {}); state('s', i); time.sleep(0.1)")
    run.api.faults.update({"input": [503, "drop"], "running": ["drop", 500], "commit": [500, "drop"],
                           "success": [503, "drop", 500]})
    run.go()
    run.succeeded()
    assert run.states()[-1]["stream"]["stream_state"] == 9
    return run


def case_states_refused():
    run = Run(source="record('s', {}); state('s', 1); time.sleep(30)")
    run.api.faults["commit"] = ["always", 409]
    run.start()
    time.sleep(2)
    run.api.faults.pop("commit")
    run.wait()
    body = run.failed("The states of this sync cannot be stored", "fault 409")
    assert body["source"] == "persistence" and run.took < 10
    return run


def case_cancel():
    run = Run(source=SLOW).start()
    time.sleep(0.7)
    run.api.cancel = True
    run.wait(15)
    name, body = run.end()
    assert name == "cancel" and run.status == 0
    assert body["output"]["failures"][0]["failureType"] == "manual_cancellation"
    assert body["output"]["sync"]["status"] == "cancelled"
    # the destination got its end of file and finished: the last state it saw is the last that is stored
    last = json.loads([line for line in run.received().split(b"\n") if b'"STATE"' in line][-1])
    assert run.states()[-1]["stream"] == last["state"]["stream"]
    run.close()
    run = Run(source="open(HERE + '/ran', 'w')")
    run.api.cancel = True
    run.go()
    assert run.end()[0] == "cancel" and not os.path.exists(run.folder + "/ran")
    return run


def case_cancel_a_deaf_source():
    run = Run(source="signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SLOW).start()
    time.sleep(0.7)
    run.api.cancel = True
    run.wait(25)
    assert run.end()[0] == "cancel"
    return run


def case_cancel_a_slow_destination():
    """Its pipe is full of what it will not get to: it is not waited for, and what it has acknowledged stays."""
    for deaf in ("", "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"):
        run = Run(source="state('s', 1)\nwhile True: record('s', {'x': 'y' * 1000})", destination=deaf + """
for line in sys.stdin.buffer:
    if b'"STATE"' in line:
        put(line)
        sys.stdout.flush()
        open(HERE + '/echoed', 'w')
    time.sleep(0.02)
""").start()
        until = time.monotonic() + 30
        while not os.path.exists(run.folder + "/echoed") and time.monotonic() < until:
            time.sleep(0.05)
        run.api.cancel = True
        run.wait(60)  # megabytes at 50 records a second would take minutes
        name, body = run.end()
        assert name == "cancel" and body["output"]["sync"]["status"] == "cancelled"
        assert run.states()[-1]["stream"]["stream_state"] == 1, run.states()
        if deaf == "":
            run.close()
    return run


def case_told_to_stop():
    run = Run(source=SLOW).start()
    time.sleep(0.7)
    run.process.send_signal(signal.SIGTERM)
    run.wait(15)
    body = run.failed("The orchestrator was told to stop")
    assert body["output"]["failures"][0]["failureType"] == "transient_error"
    assert len(run.states()) > 0
    return run


def case_settings_of_the_input():
    run = Run(source="record('s', {}); state('s', 1); time.sleep(60)", sourceSilenceSec=1, commitMs=100, heartbeatMs=300,
              deadlineSec=1).go()  # the last is for check, discover and spec
    run.failed("The source has sent nothing for 1 seconds", origin="source")
    assert run.api.count("heartbeat") >= 3
    return run


def case_orchestrator_is_killed():
    run = Run(source="open(HERE + '/pid', 'w').write(str(os.getpid()))\n" + SLOW).start()
    time.sleep(0.8)
    run.process.kill()
    run.process.wait()
    pid = int(open(run.folder + "/pid").read())
    until = time.monotonic() + 5
    while os.path.exists(f"/proc/{pid}") and time.monotonic() < until:
        time.sleep(0.05)
    assert not os.path.exists(f"/proc/{pid}")
    return run


def case_bad_input():
    for change, text in (
            ({"catalog": {"streams": [stream("s", generation_id=4, minimum_generation_id=2)]}},
             "minimum_generation_id: 2 is neither 0 nor the generation_id (4)"),
            ({"catalog": {"streams": [stream("s", namespace="a"), stream("s", namespace="b")]},
              "namespaceDefinition": "destination"}, "would both be 's' at the destination"),
            ({"catalog": None}, "input.catalog: missing"),
            ({"type": "dance"}, "input.type: missing or unknown"),
            ({"source": {"configuration": None}}, "input.source.configuration: missing")):
        run = Run(source="pass")
        run.api.input.update(change)
        run.go()
        run.failed(text, origin="airbyte_platform")
        run.close()
    return run


def case_disk_full():
    if os.geteuid() != 0:
        return "not root"
    run = Run(source="for i in range(3000): log('INFO', 'x' * 100)\nrecord('s', {}); state('s', 1)", conf={"max_log": "100M"})
    os.mkdir(run.folder + "/tiny")
    if os.system(f"mount -t tmpfs -o size=64k none {run.folder}/tiny 2>/dev/null") != 0:
        run.close()
        return "cannot mount a tmpfs"
    try:
        run.argv[run.argv.index("--log-folder") + 1] = run.log_folder = run.folder + "/tiny"
        run.go()
        run.succeeded()
        assert "No space left on device, not logging any more" in run.errors
        assert re.search(r"[0-9]{4} lines are missing in the log", run.errors), run.errors
        assert len(run.log()) > 10  # whole lines
    finally:
        os.system(f"umount {run.folder}/tiny")
    return run


def case_log_size():
    run = Run(source="""
for i in range(3000): log('INFO', 'x' * 100)
log('ERROR', 'this one stays')
for i in range(3000): log('ERROR', 'y' * 100)
record('s', {})""", conf={"max_log": "64K"}).go()
    run.succeeded()
    assert run.said("the log has reached its size") and run.said("this one stays")
    assert os.path.getsize(run.log_folder + "/7/0.ndjson") < 64 * 1024 * 1.2
    return run


def case_log_index():
    """Each mark of the index is where its line begins; the first error is marked too."""
    run = Run(source="""
for i in range(2500): log('INFO', 'line %d' % i)
log('ERROR', 'the first error')
log('ERROR', 'the second')
record('s', {})""").go()
    run.succeeded()
    path = run.log_folder + "/7/0.ndjson"
    with open(path, "rb") as file:
        text = file.read()
    with open(path + ".index", "rb") as file:
        index = file.read()
    lines = text.split(b"\n")
    marks = list(struct.iter_unpack("<QQq", index))
    plain = [mark for mark in marks if not mark[0] >> 63]
    errors = [mark for mark in marks if mark[0] >> 63]
    assert [mark[0] for mark in plain] == list(range(0, len(lines) - 1, 1000)), marks
    for line, offset, timestamp in marks:
        line &= (1 << 63) - 1
        assert text[offset:].split(b"\n", 1)[0] == lines[line], (line, offset)
        assert json.loads(lines[line])["timestamp"] == timestamp
    assert len(errors) == 1 and b"the first error" in lines[errors[0][0] & ((1 << 63) - 1)], errors
    assert os.stat(path + ".index").st_mode & 0o777 == os.stat(path).st_mode & 0o777
    return run


def case_bad_log_path():
    for path in ("../../etc/x", "/etc/x", "", "a//b"):
        run = Run(source="record('s', {})", logPath=path).go()
        run.succeeded()
        assert "is not valid, not logging" in run.errors
        assert not os.path.exists(run.folder + "/etc")
        run.close()
    return run
