#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Also the test of the kit's input side: this destination adds nothing of its own."""
import json
import signal
import time

from kit_test import catalog, main, record, state, status, stream

SILENT = {"test_destination": {"test_destination_type": "SILENT"}}


def config(kind, **more):
    return {"test_destination": {"test_destination_type": kind, **more}}


def logging(kind, **more):
    return config("LOGGING", logging_config={"logging_type": kind, **more})


def rows(n, name="a"):
    return [record(name, {"i": i}) for i in range(1, n + 1)]


def test_spec_and_check(c):
    assert "append_dedup" in c.spec()["supported_destination_sync_modes"]
    for good in (SILENT, config("FAILING", num_messages=0), config("THROTTLED", millis_per_record=1),
                 logging("FirstN", max_entry_count=3), logging("EveryNth", nth_entry_to_log=2,
                                                               max_entry_count=3)):
        status_message = c.check(good).ok().messages[0]["connectionStatus"]
        assert status_message["status"] == "SUCCEEDED", (good, status_message)
    at = "configuration.test_destination"
    for bad, text in [
        ({}, f"{at}: missing"),
        ({"test_destination": "SILENT"}, f"{at}: expected object"),
        (config("LOUD"), f'{at}.test_destination_type: must be one of "SILENT", "LOGGING", '
                         '"THROTTLED", "FAILING"'),
        (config("FAILING"), f"{at}.num_messages: missing"),
        (config("THROTTLED", millis_per_record="x"), f"{at}.millis_per_record: expected integer"),
        (logging("FirstN", max_entry_count=1001), f"{at}.logging_config.max_entry_count: must be "
                                                  "at most 1000"),
        (logging("RandomSampling", sampling_ratio=1.5, max_entry_count=1),
         f"{at}.logging_config.sampling_ratio: must be at most 1"),
    ]:
        assert c.check_fails(bad) == text, c.check_fails(bad)


def test_states_come_back_byte_for_byte(c):
    odd = (b'{ "type":"STATE" , "state":{"type":"STREAM","id":7,"x":{"u":1e400},"stream":'
           b'{"stream_descriptor":{"name":"a"},"stream_state":{"k":"\\u00e9 \xc3\xa9"}},'
           b'"sourceStats":{"recordCount":3.0}}}')
    legacy = b'{"type":"STATE","state":{"data":{"n":1}}}'
    result = c.write(SILENT, catalog("a"), [*rows(3), odd + b"\n", legacy + b"\r\n",
                                            *rows(2), state("a", {"n": 5})])
    result.ok()
    assert [line.encode() for line in result.lines[:2]] == [odd, legacy], result.lines
    assert result.states()[2]["stream"]["stream_state"] == {"n": 5}
    assert "stream 'a': 5 records, 40 bytes" in result.logs()


def test_bytes_are_those_of_data(c):
    line = '{"type":"RECORD","record":{"data":{"x": "é\\u00e9"},"emitted_at":1,"stream":"a"}}'
    result = c.write(SILENT, catalog("a"), [line.encode()]).ok()  # without a newline
    size = len('{"x": "é\\u00e9"}'.encode())
    assert result.logs() == [f"stream 'a': 1 records, {size} bytes"], result.logs()


def test_namespaces_and_escapes(c):
    streams = catalog(stream("a"), stream("a", namespace="n"), stream('q"\\é'))
    result = c.write(SILENT, streams, [
        record("a", {}), record("a", {}, namespace=""), record("a", {}, namespace="n"),
        b'{"type":"RECORD","record":{"namespace":null,"stream":"a","data":{},"emitted_at":1}}\n',
        record('q"\\é', {"v": 1}), record('q"\\é', {"v": 1}),
    ]).ok()
    assert [log.split(": ")[1].split(" ")[0] for log in result.logs()] == ["3", "1", "2"]


def test_bad_lines(c):
    result = c.write(SILENT, catalog("a"), [
        b"hello\n", b"\n", b"[1]\n", b'{"type":"NEWS","news":{}}\n', *rows(1),
        {"type": "LOG", "log": {"level": "INFO", "message": "x"}},
        {"type": "TRACE", "trace": {"type": "ESTIMATE", "emitted_at": 1, "estimate": {}}},
    ]).ok()
    warnings = [log for log in result.logs() if "is no message" in log]
    assert warnings[0] == "line 1 is no message, ignoring: hello", warnings
    assert result.logs()[-1] == "stream 'a': 1 records, 8 bytes"
    for line, text in [
        (record("b", {}), "line 2: a record of stream 'b' (namespace ''), which is not in the "
                          "catalog"),
        (record("a", {}, namespace="x"), "line 2: a record of stream 'a' (namespace 'x')"),
        (b'{"type":"RECORD","record":{"stream":"a","data":{"i":1},"emitted_at":1}\n',
         "line 2: a broken or incomplete record"),
        (b'{"type":"RECORD","record":{"stream":"a","emitted_at":1}}\n', "line 2: a broken or incomplete record"),
    ]:
        error = c.write(SILENT, catalog("a"), [*rows(1), line]).error()
        assert error["message"].startswith(text), error
        assert error["failure_type"] == "system_error"


def test_failing(c):
    messages = [*rows(3), state("a", 1), *rows(2), state("a", 2), *rows(1), state("a", 3)]
    result = c.write(config("FAILING", num_messages=5), catalog("a"), messages)
    assert "failed on purpose" in result.error()["message"]
    assert [s["stream"]["stream_state"] for s in result.states()] == [1, 2]
    c.write(config("FAILING", num_messages=6), catalog("a"), messages).ok()


def test_throttled(c):
    begin = time.monotonic()
    c.write(config("THROTTLED", millis_per_record=10), catalog("a"), rows(20)).ok()
    assert time.monotonic() - begin >= 0.2


def test_logging(c):
    def logged(setting):
        logs = c.write(setting, catalog("a", "b"), [*rows(100), *rows(50, "b")]).ok().logs()[:-2]
        return [tuple(log.split(": ")[0].split(" ")) for log in logs], logs

    where, logs = logged(logging("FirstN", max_entry_count=2))
    assert where == [("a", "1"), ("a", "2"), ("b", "1"), ("b", "2")]
    assert logs[0] == 'a 1: {"i": 1}'
    where, _ = logged(logging("EveryNth", nth_entry_to_log=30, max_entry_count=2))
    assert where == [("a", "30"), ("a", "60"), ("b", "30")]
    sample = logging("RandomSampling", sampling_ratio=0.3, seed=5, max_entry_count=1000)
    where, _ = logged(sample)
    assert 20 < len(where) < 80 and logged(sample)[0] == where


def test_truncating_stream_needs_a_status(c):
    streams = catalog(stream("a", mode="overwrite", generation_id=2, minimum_generation_id=2))
    error = c.write(SILENT, streams, rows(1)).error()
    assert error["message"].startswith("stream 'a': the input ended without a COMPLETE"), error
    for word in ("COMPLETE", "INCOMPLETE"):
        c.write(SILENT, streams, [status("a", "STARTED"), *rows(1), status("a", word)]).ok()


def test_states_of_a_truncation_without_generations_wait(c):
    streams = catalog(stream("a", mode="overwrite"), stream("b"))
    messages = [state("a", 1), state("b", 1), {"type": "STATE", "state": {"data": {}}}]
    result = c.write(SILENT, streams, [*messages, status("a", "INCOMPLETE")]).ok()
    assert result.of("STATE") == messages[1:2]
    result = c.write(SILENT, streams, [*messages, status("a", "COMPLETE")]).ok()
    assert result.of("STATE") == [messages[1], messages[0], messages[2]]


def test_many_lines_and_a_long_one(c):
    long = record("a", {"s": "x" * 5_000_000})
    result = c.write(SILENT, catalog("a"), [*rows(20000), long, *rows(1)]).ok()

    assert result.logs()[0].startswith("stream 'a': 20002 records, ")



def test_state_is_echoed_while_the_input_is_open(c):
    process = c.popen(*c.args("write", SILENT, catalog("a")))
    line = json.dumps(state("a", 1)).encode() + b"\n"
    process.stdin.write(line)
    process.stdin.flush()
    assert process.stdout.readline() == line
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=5) == 143
    process.stdin.close()


main(globals())
