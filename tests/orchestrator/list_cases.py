# SPDX-License-Identifier: Apache-2.0
"""The behaviours that the reference's test list names and no other file tests, one case each, named after its line.
Then its known bugs: each case is the situation in which it shows, and what must happen instead."""
import json
import shutil
import subprocess
import time

from harness import SINK, Run, stream
from mapper_cases import mapped, mapper
from sync_cases import complete, golden

RECORD = '{"type":"RECORD","record":{"stream":"s","data":%s,"emitted_at":1}}'


def one_line(line, **more):
    return Run(source=f"record('s', {{}}); state('s', 1); put({line!r}); record('s', {{'late': 1}}); state('s', 2)", **more).go()


# --- Protocol ---------------------------------------------------------------------------------------------------------

def case_protocol_two_objects_on_a_line():
    run = one_line(RECORD % '{"n":1}' + RECORD % '{"n":2}')
    run.failed("The source sent a broken record: ", origin="source")
    assert len(run.states()) == 1 and golden(run).count(b"\n") == 2
    run.close()
    run = one_line('{"type":"LOG","log":{"level":"INFO","message":"a"}}{"x":1}')  # chatter, not lost data
    run.succeeded()
    assert golden(run).count(b"\n") == 5
    return run


def case_protocol_trailing_garbage():
    run = one_line(RECORD % "{}" + " garbage")
    run.failed("The source sent a broken record: ", origin="source")
    return run


def case_protocol_null_data():
    for data in ("null", "[]", '"x"', "7"):
        run = one_line(RECORD % data)
        run.failed("The source sent a broken record: ", origin="source")
        run.close()
    return run


def case_protocol_invalid_utf8():
    """In a value of a record it passes as bytes: whoever converts the value judges it. In a name it is no message."""
    run = Run(source=r"""
put(b'{"type":"RECORD","record":{"stream":"s","data":{"x":"a\xff\xc3b"},"emitted_at":1}}')
put(b'{"type":"LOG","log":{"level":"INFO","message":"a\xff"}}')
""").go()
    run.succeeded()
    assert golden(run) == (b'{"type":"RECORD","record":{"stream":"s","data":{"x":"a\xff\xc3b"},"emitted_at":1}}\n' + complete("s"))
    assert run.said('"message":"a\ufffd"')
    return run


def case_protocol_log_inside_record_burst_ordering():
    run = Run(source="""
for i in range(3000):
    record("s", {"i": i})
    if i % 3 == 0: log("INFO", "at %d" % i)
""").go()
    run.succeeded()
    assert [json.loads(line)["record"]["data"]["i"] for line in golden(run).split(b"\n")[:3000]] == list(range(3000))
    assert [line["message"] for line in run.log() if line["message"].startswith("at ")] == [f"at {i}" for i in range(0, 3000, 3)]
    return run


def case_protocol_namespace_null_empty_missing_equality():
    run = Run(source="""
record("s", {"n": 1}); record("s", {"n": 2}, namespace=None); record("s", {"n": 3}, namespace="")
status("s", "STARTED")
say("TRACE", "trace", type="STREAM_STATUS", emitted_at=1, stream_status={
    "stream_descriptor": {"name": "s", "namespace": ""}, "status": "COMPLETE"})
for ns in ({}, {"namespace": None}, {"namespace": ""}):
    say("STATE", "state", type="STREAM", stream={"stream_descriptor": dict(name="s", **ns), "stream_state": 1})
""", streams=[stream("s", namespace=None)]).go()
    body = run.succeeded()
    assert len(body["stats"]["streams"]) == 1 and body["stats"]["total"]["recordsCommitted"] == 3
    assert body["stats"]["streams"][0]["runState"] == "complete"
    assert golden(run).count(b"STREAM_STATUS") == 1 and golden(run).endswith(complete("s"))  # one trace, not two
    return run


def case_protocol_pk_missing_in_dedup_stream():
    dedup = dict(destination_sync_mode="append_dedup", primary_key=[["id"], ["part", "code"]])
    run = Run(source="""
record("s", {"id": None, "part": {"code": 1}}); record("s", {"id": 0}); state("s", 1)
record("s", {"id": None, "part": {"code": None}}); time.sleep(20)""", streams=[stream("s", **dedup)]).go()
    run.failed("tream 's' in which the primary key (id, part.code) is missing", origin="source")
    assert len(run.states()) == 1 and golden(run).count(b"\n") == 3 and run.took < 10
    run.close()
    run = Run(source="record('s', {'id': None})", streams=[stream("s", primary_key=[["id"]])]).go()  # append: no matter
    run.succeeded()
    return run


def case_protocol_analytics_dropped():
    run = Run(source="""
say("TRACE", "trace", type="ANALYTICS", emitted_at=1, analytics={"type": "cdc-cursor", "value": "x"}); record("s", {})
""").go()
    run.succeeded()
    assert golden(run).count(b"\n") == 2 and b"ANALYTICS" not in golden(run)
    return run


def case_protocol_200_mb_line():
    run = Run(source="""
state("s", 0); out.write(b'{"type":"RECORD","record":{"stream":"s","data":{"x":"')
for _ in range(200): out.write(b"y" * 1_000_000)
out.write(b'"},"emitted_at":1}}\\n'); out.flush(); state("s", 1)
""", destination="""
n, longest = 0, 0
while True:
    piece = os.read(0, 1 << 20)
    if not piece: break
    *lines, last = piece.split(b"\\n")
    for line in lines:
        n += len(line); longest = max(longest, n); n = 0
    n += len(last)
open(HERE + "/longest", "w").write(str(longest))
""", conf={"max_line": "300M"}).go(90)
    run.succeeded()
    assert int(open(run.folder + "/longest").read()) > 200_000_000
    return run


def case_protocol_log_is_masked():
    """The value of a field that the specification calls secret, wherever it is said."""
    run = Run(source="""
log("INFO", "login with hunter22"); put("hunter22"); sys.stderr.write("hunter22!\\n"); error("no hunter22", internal_message="hunter22")
say("LOG", "log", level="INFO", message="a", stack_trace="x\\n hunter22\\n"); record("s", {"kept": "hunter22"}); sys.exit(1)
""").go()
    body = run.failed("no ******", origin="source")
    assert "hunter22" not in json.dumps(run.log()) and "hunter22" not in json.dumps(body)
    assert b'"kept":"hunter22"' in golden(run)  # data is data
    return run


# --- State ------------------------------------------------------------------------------------------------------------

def case_state_legacy():
    run = Run(source="record('s', {}); put('{\"type\":\"STATE\",\"state\":{\"data\":{\"cursor\": 1.0}}}')",
              state=[{"type": "LEGACY", "data": {"cursor": 0}}]).go()
    run.succeeded()
    assert b'{"type":"STATE","state":{"id":1,"data":{"cursor": 1.0}}}\n' in golden(run)
    assert run.states() == [{"data": {"cursor": 1.0}}]
    return run


def case_state_global_with_subset_of_streams():
    run = Run(source="""
record("s", {}); record("t", {}); record("s", {})
say("STATE", "state", type="GLOBAL", **{"global": {"shared_state": {"lsn": 1}, "stream_states": [{"stream_descriptor": {"name": "s"}}]}})
sys.stdout.flush(); time.sleep(1); sys.exit(1)
""", streams=[stream("s"), stream("t")], prefix="p_").go()
    body = run.failed(origin="source")
    assert {s["streamName"]: s["stats"]["recordsCommitted"] for s in body["stats"]["streams"]} == {"s": 2, "t": 0}
    assert b'"stream_descriptor":{"name":"s"}' in golden(run)  # opaque to the destination, in both directions
    assert run.states()[0]["global"]["stream_states"] == [{"stream_descriptor": {"name": "s"}}]
    return run


def case_state_ack_after_source_end():
    run = Run(source="record('s', {}); state('s', 1); record('s', {}); state('s', 2); sys.exit(1)", destination="""
kept = [line for line in sys.stdin.buffer]
time.sleep(1)
for line in kept:
    if line.startswith(b'{"type":"STATE"'): put(line.rstrip())
""").go()
    body = run.failed(origin="source")
    assert [s["stream"]["stream_state"] for s in run.states()] == [2]
    assert body["stats"]["total"]["recordsCommitted"] == 2
    return run


def case_state_ack_out_of_order():
    run = Run(source="for i in range(4):\n    record('s', {}); state('s', i)", destination="""
kept = [line.rstrip() for line in sys.stdin.buffer if line.startswith(b'{"type":"STATE"')]
for i in (2, 0, 1, 3): put(kept[i])
""").go()
    run.succeeded()
    assert [s["stream"]["stream_state"] for s in run.states()][-1] == 3
    assert run.said("acknowledged state 1 behind state 3") and run.said("acknowledged state 2 behind state 3")
    return run


def case_state_injected_for_full_refresh():
    full = {"sync_mode": "full_refresh"}
    run = Run(source="record('s', {}); status('s', 'STARTED'); status('t', 'STARTED'); status('s', 'COMPLETE'); record('t', {})",
              streams=[stream("s", **full), stream("t", **full)], prefix="p_").go()
    run.succeeded()
    assert golden(run).endswith(b'\n{"type":"STATE","state":{"id":1,"sourceStats":{"recordCount":1},"type":"STREAM","stream":{"stream_descriptor":{"name":"p_s"},'
                                b'"stream_state":{}}}}\n' + complete("p_s")), golden(run)
    assert run.states() == [{"type": "STREAM", "stream": {"stream_descriptor": {"name": "s"}, "stream_state": {}}}]
    run.close()
    run = Run(source="record('s', {}); sys.exit(1)", streams=[stream("s", **full)]).go()
    run.failed(origin="source")
    assert run.states() == [] and b"STATE" not in golden(run)
    return run


STATS = """
for n in range(3): record("s", {})
say("STATE", "state", type="STREAM", stream={"stream_descriptor": {"name": "s"}, "stream_state": 1}%s)
"""
ANSWER = """
for line in sys.stdin.buffer:
    message = json.loads(line)
    if message["type"] == "STATE":
        message["state"]["destinationStats"] = %s
        put(json.dumps(message))
"""


def case_state_record_count_of_the_source():
    """5, 5.0, absent, wrong."""
    for said, sent, noted in (("3", 3, False), ("3.0", 3.0, False), (None, 3, False), ("4", 4, True)):
        stats = "" if said is None else ', sourceStats={"recordCount": %s}' % said
        run = Run(source=STATS % stats).go()
        run.succeeded()
        line = json.loads(next(line for line in golden(run).split(b"\n") if b'"STATE"' in line))
        assert line["state"]["sourceStats"] == {"recordCount": sent}, line
        assert run.said("the source says that it sent 4 records", level="ERROR") == noted
        assert ("sourceStats" in run.states()[0]) == (said is not None)  # what is persisted is the source's own
        run.close()
    return run


def case_state_rejected_record_count():
    run = Run(source=STATS % "", destination=ANSWER % """{"recordCount": 2.0, "rejectedRecordCount": 1.0,
        "additionalStats": {"nulledValueCount": 4}}""").go()
    total = run.succeeded()["stats"]["total"]
    assert (total["recordsCommitted"], total["recordsRejected"]) == (2, 1)
    assert total["additionalStats"] == {"nulledValueCount": 4}
    assert not run.said("the destination says")
    return run


def case_state_counts_that_fail_the_sync():
    """FailOnCountMismatch=yes: what does not add up is not committed, whoever miscounted."""
    strict = {"stall": "30s\nFailOnCountMismatch=yes"}
    run = Run(source=STATS % ', sourceStats={"recordCount": 4}' + "time.sleep(20)", conf=strict).go()
    run.failed("the source says that it sent 4 records since the last state, and 3 came", origin="source")
    assert run.states() == [] and golden(run).count(b"\n") == 3 and run.took < 15
    run.close()
    run = Run(source=STATS % "" + "time.sleep(20)", destination=ANSWER % '{"recordCount": 2}', conf=strict).go()
    body = run.failed("the destination says that it took 2 records", origin="destination")
    assert run.states() == [] and body["stats"]["total"]["recordsCommitted"] == 0 and run.took < 15
    run.close()
    run = Run(source=STATS % "", destination=ANSWER % '{"recordCount": 3}', conf=strict).go()
    run.succeeded()
    return run


def case_state_destination_drops_extension_fields():
    run = Run(source=STATS % ', partition_id="p"', destination="""
for line in sys.stdin.buffer:
    message = json.loads(line)
    if message["type"] == "STATE":
        put(json.dumps({"type": "STATE", "state": {key: message["state"][key] for key in ("type", "stream")}}))
""").go()
    assert run.succeeded()["stats"]["total"]["destinationStateMessagesEmitted"] == 1
    assert run.states()[0]["partition_id"] == "p"
    return run


def case_state_null_stream_state():
    run = Run(source="record('s', {}); state('s', None)").go()
    run.succeeded()
    assert [s["stream"]["stream_state"] for s in run.states()] == [None]
    return run


# --- Process ----------------------------------------------------------------------------------------------------------

def case_process_source_dies_before_first_byte():
    run = Run(source="sys.exit(4)").go()
    run.failed("The source ended with exit code 4", origin="source")
    assert golden(run) == b"" and run.states() == []
    return run


def case_process_stdout_flood_without_newline():
    run = Run(source="""
record("s", {}); state("s", 1)
while True: out.write(b"x" * 65536); out.flush()
""", conf={"max_line": "4M"}).go()
    run.failed("line of more than 4194304 bytes", origin="source")
    assert len(run.states()) == 1 and run.took < 20
    return run


def case_process_exit_143():
    """By itself it is a failure; after our SIGTERM it is what was asked for."""
    run = Run(source="record('s', {}); state('s', 1); sys.exit(143)").go()
    run.failed("The source ended with exit code 143", origin="source")
    assert len(run.states()) == 1
    return run


def case_process_source_is_silent():
    """Log lines are no sign of life; statuses, and a line that is still growing, are."""
    run = Run(source="record('s', {})\nfor i in range(600): log('INFO', 'still waiting'); time.sleep(0.1)", conf={"silence": "2s"}).go()
    body = run.failed("The source has sent nothing for ", origin="source")
    assert body["output"]["failures"][0]["failureType"] == "heartbeat_timeout"
    run.close()
    for words in ("status('s', 'RUNNING')", "out.write(b' '); out.flush()"):
        run = Run(source=f"for i in range(40): {words}; time.sleep(0.1)\nput(''); record('s', {{}})", conf={"silence": "3s"}).go()
        run.succeeded()
        run.close()
    run = Run(source="time.sleep(3); record('s', {})", conf={"silence": "0", "stall": "0"}).go()  # off
    run.succeeded()
    return run


def case_process_trace_error_with_exit_0():
    """As everywhere else the exit status decides; the error is told."""
    run = Run(source="error('half of it'); record('s', {}); state('s', 1)").go()
    body = run.succeeded()
    assert [f["externalMessage"] for f in body["output"]["failures"]] == ["half of it"]
    return run


def case_status_rate_limited():
    """Told at once, though no record comes; the next record ends it."""
    run = Run(source="""
record("s", {})
say("TRACE", "trace", type="STREAM_STATUS", emitted_at=1, stream_status={"stream_descriptor": {"name": "s"}, "status": "RUNNING",
    "reasons": [{"type": "RATE_LIMITED", "rate_limited": {"quota_reset": 1700000000000}}]})
for _ in range(400):
    if os.path.exists(HERE + "/go"): break
    time.sleep(0.05)
record("s", {})
""").start()

    def told():
        return [body["stats"]["streams"][0] for body in run.api.bodies("commit") if body["stats"]["streams"]]

    until = time.monotonic() + 20
    while not any(stats["runState"] == "rate_limited" for stats in told()) and time.monotonic() < until:
        time.sleep(0.02)
    open(run.folder + "/go", "w").close()
    body = run.wait().succeeded()
    limited = [stats for stats in told() if stats["runState"] == "rate_limited"]
    assert limited and limited[0]["quotaReset"] == 1700000000000, told()
    assert body["stats"]["streams"][0]["runState"] == "incomplete"  # it never said COMPLETE
    return run


# --- Bugs of the reference --------------------------------------------------------------------------------------------

def case_bug_final_flush_comes_after_the_output():
    """States that cannot be stored at the end: the attempt has failed, whatever it was before."""
    run = Run(source="record('s', {}); state('s', 1)", conf={"commit": "60s"})
    run.api.faults["success"] = [409]
    run.go()
    body = run.failed("The result of this job was refused", "fault 409", origin="persistence")
    assert body.get("states") == [] and body["output"]["sync"]["status"] == "failed"
    return run


def case_bug_no_heartbeat_behind_a_time_out():
    """The end is told late: the beat goes on until then."""
    run = Run(source="record('s', {}); time.sleep(60)", conf={"silence": "1s"}, heartbeatMs=300)
    run.api.faults["failure"] = [503] * 6
    run.go()
    run.failed("The source has sent nothing", origin="source")
    first = next(at for at, call, _, _ in run.api.calls if call == "failure")
    assert any(call == "heartbeat" and at > first for at, call, _, _ in run.api.calls)
    return run


def case_bug_control_is_told_twice():
    run = Run(source="""
for i in range(3):
    say("CONTROL", "control", type="CONNECTOR_CONFIG", emitted_at=1, connectorConfig={"config": {"token": i}})
record("s", {}); state("s", 1)
""").go()
    run.succeeded()
    told = configs(run)
    assert told == sorted(set(told)) and told[-1] == 2 and b"CONTROL" not in golden(run)
    return run


def configs(run):
    return [config["source"]["token"] for config in run.configs()]


SEND = """
def config(token): say("CONTROL", "control", type="CONNECTOR_CONFIG", emitted_at=1, connectorConfig={"config": {"token": token}})
"""


def case_trap_control_is_stored_as_it_comes():
    """While the source goes on, and no record or state has come."""
    run = Run(source=SEND + """config(1)
for _ in range(400):
    if os.path.exists(HERE + "/go"): break
    time.sleep(0.05)
os.kill(os.getpid(), 9)""", conf={"commit": "60s"}).start()
    until = time.monotonic() + 20
    while configs(run) != [1] and time.monotonic() < until:
        time.sleep(0.02)
    open(run.folder + "/go", "w").close()
    body = run.wait().failed("The source was killed", origin="source")
    assert configs(run) == [1] and "config" not in body["output"]
    assert run.said("the source's new configuration is stored")
    return run


def case_trap_control_of_a_killed_orchestrator():
    run = Run(source=SEND + "config(1); time.sleep(60)", conf={"commit": "60s"}).start()
    until = time.monotonic() + 20
    while configs(run) != [1] and time.monotonic() < until:
        time.sleep(0.02)
    run.process.kill()
    run.process.wait()
    assert configs(run) == [1]
    return run


def case_trap_control_is_stored_when_the_sync_fails():
    """The API cannot take it at first, and later only the end: it comes with that, once."""
    run = Run(source=SEND + "config(1); config(2); sys.exit(3)", conf={"commit": "60s"})
    run.api.faults["commit"] = ["always", 503]
    run.go()
    body = run.failed("The source ended with exit code 3", origin="source")
    assert configs(run) == [2] and body["output"]["config"] == {"source": {"token": 2}}
    run.close()
    run = Run(source=SEND + "config(1); time.sleep(2); config(2); time.sleep(2); sys.exit(3)", conf={"commit": "60s"})
    run.api.faults["commit"] = ["drop", 503]
    run.go()
    body = run.failed("The source ended with exit code 3", origin="source")
    assert configs(run) in ([1, 2], [2]) and "config" not in body["output"], configs(run)
    return run


def case_trap_control_that_is_refused():
    """Visible, though the sync goes on: it may have been the only copy of a new token."""
    run = Run(source=SEND + "config(1); record('s', {}); state('s', 1); time.sleep(2)", conf={"commit": "60s"})
    run.api.faults["commit"] = ["always", 409]
    run.go()
    body = run.succeeded()
    assert [f["externalMessage"] for f in body["output"]["failures"]] == ["The source's new configuration cannot be stored"]
    assert "config" not in body["output"] and len(run.states()) == 1
    return run


def case_trap_control_of_a_check():
    run = Run(kind="check", destination=SEND + "config(1); time.sleep(60)", conf={"job_timeout": "3s"}).go()
    body = run.failed("The destination did not finish its check within 3 seconds", origin="destination")
    assert run.configs() == [{"destination": {"token": 1}}] and "config" not in body["output"]
    return run


def case_bug_filtered_is_subtracted_twice():
    """The destination's own count fits what passed; one that does not is told."""
    rows = mapper("row-filtering", conditions={"type": "EQUAL", "fieldName": "a", "comparisonValue": "1"})
    for said, noted in ((2, False), (1, True), (4, True)):
        run = Run(source="""
for i in (1, 2, 1, 3): record("s", {"a": i})
say("STATE", "state", type="STREAM", stream={"stream_descriptor": {"name": "s"}, "stream_state": 1}, sourceStats={"recordCount": 4.0})
""", streams=[mapped("s", "a", [rows])], destination=f"""
for line in sys.stdin.buffer:
    message = json.loads(line)
    if message["type"] == "STATE":
        assert message["state"]["sourceStats"]["recordCount"] == 2
        message["state"]["destinationStats"] = {{"recordCount": {said}.0}}
        put(json.dumps(message))
""").go()
        run.succeeded()
        assert run.said("the destination says that it took") == noted, run.log()
        assert not run.said("the source says")
        run.close()
    return run


def case_bug_stream_without_state_is_never_complete():
    run = Run(source="record('s', {}); status('s', 'COMPLETE')", streams=[stream("s"), stream("t")]).go()
    body = run.succeeded()
    assert [s["runState"] for s in body["stats"]["streams"]] == ["complete"]
    return run


def case_bug_complete_after_the_last_ack_is_missed():
    run = Run(source="""
record("s", {}); state("s", 1)
for _ in range(200):
    if os.path.exists(HERE + "/go"): break
    time.sleep(0.05)
status("s", "COMPLETE"); record("t", {}); time.sleep(1); sys.exit(1)
""", streams=[stream("s"), stream("t")]).start()
    until = time.monotonic() + 20
    while not run.states() and time.monotonic() < until:
        time.sleep(0.02)
    open(run.folder + "/go", "w").close()
    body = run.wait().failed(origin="source")
    assert {s["streamName"]: s["runState"] for s in body["stats"]["streams"]} == {"s": "complete", "t": "incomplete"}
    return run


def case_bug_names_of_destination_traces_are_not_reverted():
    run = Run(source="record('s', {}, namespace='n')", streams=[stream("s", namespace="n")], namespaceDefinition="customformat",
              namespaceFormat="to", prefix="p_", destination="""
sys.stdin.buffer.read()
error("no such column", stream_descriptor={"name": "p_s", "namespace": "to"}); sys.exit(1)
""").go()
    body = run.failed("no such column", origin="destination")
    assert body["output"]["failures"][0]["streamDescriptor"] == {"name": "s", "namespace": "n"}, body["output"]["failures"][0]
    return run


def case_bug_incomplete_streams_are_told_complete():
    """Exit 0 is not enough: a stream that the source gave up must not replace its table."""
    run = Run(source="status('s', 'STARTED'); record('s', {}); status('s', 'INCOMPLETE')",
              streams=[stream("s", sync_mode="full_refresh", generation_id=2, minimum_generation_id=2)]).go()
    body = run.succeeded()
    assert b"STREAM_STATUS" not in golden(run) and b"STATE" not in golden(run)
    assert body["stats"]["streams"][0]["runState"] == "incomplete"
    return run


def case_bug_state_waits_in_a_buffer():
    """A slow source: what it sends reaches the destination at once."""
    run = Run(source="""
record("s", {})
for _ in range(200):
    if os.path.exists(HERE + "/received") and os.path.getsize(HERE + "/received"): break
    time.sleep(0.05)
else: sys.exit(9)
""", destination=SINK).go()
    run.succeeded()
    return run


def decrypt(text, key, mode):
    """By the openssl program."""
    data, vector = bytes.fromhex(text), []
    if mode != "ECB":
        vector, data = ["-iv", data[:16].hex()], data[16:]
    return subprocess.run(["openssl", "enc", "-d", "-aes-128-" + mode.lower(), "-K", key] + vector, input=data, check=True,
                          stdout=subprocess.PIPE).stdout


def case_bug_modes_that_cannot_work():
    """GCM, which this program does not do, is decrypted in the unit test."""
    if shutil.which("openssl") is None:
        return "no openssl program"
    key = "000102030405060708090a0b0c0d0e0f"
    for mode, padding in (("ECB", "PKCS5Padding"), ("CBC", "PKCS5Padding"), ("CTR", "NoPadding")):
        run = Run(source="record('s', {'a': 'sixteen and more'})", streams=[mapped("s", "a", [mapper(
            "encryption", algorithm="AES", targetField="a", fieldNameSuffix="", mode=mode, padding=padding, key=key)])]).go()
        run.succeeded()
        text = json.loads(golden(run).split(b"\n")[0])["record"]["data"]["a"]
        assert decrypt(text, key, mode) == b"sixteen and more", (mode, text)
        run.close()
    return run
