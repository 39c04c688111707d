# SPDX-License-Identifier: Apache-2.0
"""Field selection and mappers in whole syncs: what passes, under which names, and what must never be seen."""
import hashlib
import json
import os

from harness import Run, stream
from sync_cases import complete, golden

KEY = "000102030405060708090a0b0c0d0e0f"


def mapper(kind, **config):
    return {"id": "m", "type": kind, "mapperConfiguration": config}


def mapped(name, fields, mappers=None, selected=None, **more):
    """A stream whose records have these fields."""
    made = stream(name, **more)
    made["stream"]["json_schema"] = {"type": "object", "properties": {field: {"type": "string"} for field in fields}}
    if mappers is not None:
        made["mappers"] = mappers
    if selected is not None:
        made["selectedFields"] = [{"fieldPath": [field]} for field in selected]
    return made


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


def case_selection():
    run = Run(source=r"""
put('{"type":"RECORD","record":{"stream":"s","emitted_at":1,"data":{"a": 1.50 ,"b":"secret","c":{"b":1e400}, "d":[1]}}}')
put(r'{"type":"RECORD","record":{"stream":"s","emitted_at":1,"data":{"a":"\u00e9"}}}')
put('{"type":"RECORD","record":{"stream":"t","emitted_at":1,"data":{"b":"stays"}}}')
state("s", 1)
""", streams=[mapped("s", "abcd", selected="ac"), mapped("t", "b")]).go()
    body = run.succeeded()
    assert golden(run).split(b"\n")[:3] == [
        b'{"type":"RECORD","record":{"stream":"s","emitted_at":1,"data":{"a": 1.50,"c":{"b":1e400}}}}',
        rb'{"type":"RECORD","record":{"stream":"s","emitted_at":1,"data":{"a":"\u00e9"}}}',
        b'{"type":"RECORD","record":{"stream":"t","emitted_at":1,"data":{"b":"stays"}}}']
    # bytes are counted as selected
    assert body["stats"]["streams"][0]["stats"]["bytesEmitted"] == len(b'{"a":1.50,"c":{"b":1e400}}') + len(rb'{"a":"\u00e9"}')
    assert body["stats"]["total"]["recordsCommitted"] == 3
    return run


def case_mappers():
    run = Run(source=r"""
record("s", {"id": 1, "mail": "a@x", "keep": "yes", "gone": 1, "old": [1]}, namespace="n")
record("s", {"id": 2, "mail": "b@x", "keep": "no"}, namespace="n")
record("s", {"id": 3, "mail": None, "keep": "yes"}, namespace="n")
say("STATE", "state", type="STREAM", stream={"stream_descriptor": {"name": "s", "namespace": "n"}, "stream_state": 1},
    sourceStats={"recordCount": 3.0})
""", streams=[mapped("s", ["id", "mail", "keep", "gone", "old"], namespace="n", cursor_field=["id"], primary_key=[["id"]], mappers=[
        mapper("row-filtering", conditions={"type": "EQUAL", "fieldName": "keep", "comparisonValue": "yes"}),
        mapper("hashing", targetField="mail", method="MD5", fieldNameSuffix="_hashed"),
        mapper("field-filtering", targetField="gone"),
        mapper("field-renaming", originalFieldName="old", newFieldName="new"),
        mapper("field-renaming", originalFieldName="id", newFieldName="key")])],
              namespaceDefinition="customformat", namespaceFormat="to", prefix="p_",
              destination="""
json.dump(json.load(open(option("catalog"))), open(HERE + "/destination.json", "w"))
with open(HERE + "/received", "wb") as file:
    for line in sys.stdin.buffer:
        file.write(line)
        if line.startswith(b'{"type":"STATE"'):
            out.write(line); out.flush()
""").go()
    body = run.succeeded()
    got = golden(run).decode().split("\n")
    assert got[0] == ('{"type":"RECORD","record":{"stream":"p_s","data":{"key":1,"mail_hashed":"%s","keep":"yes","new":[1]},'
                      '"emitted_at":1,"namespace":"to"}}' % md5("a@x"))
    assert got[1] == ('{"type":"RECORD","record":{"stream":"p_s","data":{"key":3,"mail_hashed":"%s","keep":"yes"},'
                      '"emitted_at":1,"namespace":"to"}}' % md5("null"))
    state = json.loads(got[2])["state"]
    assert state["sourceStats"] == {"recordCount": 2} and state["stream"]["stream_descriptor"] == {"name": "p_s", "namespace": "to"}
    assert run.states()[0]["sourceStats"] == {"recordCount": 3.0}  # the source's own
    assert golden(run).endswith(complete("p_s", "to"))
    stats = body["stats"]["total"]
    assert (stats["recordsEmitted"], stats["recordsFilteredOut"], stats["recordsCommitted"]) == (3, 1, 2), stats
    told = json.load(open(run.folder + "/destination.json"))["streams"][0]
    assert list(told["stream"]["json_schema"]["properties"]) == ["key", "mail_hashed", "keep", "new"]
    assert (told["cursor_field"], told["primary_key"], "mappers" in told) == (["key"], [["key"]], False)
    return run


def case_mappers_that_cannot_work():
    """Before anything is started: nothing may run, and nothing may pass."""
    for mappers, text in (
            ([mapper("shuffle")], "stream 's': mapper 1: there is no mapper of type \\\"shuffle\\\""),
            ([mapper("hashing", targetField="x", method="MD5", fieldNameSuffix="")],
             "stream 's': mapper 1 (hashing): field 'x' is not in the stream's schema"),
            ([mapper("encryption", algorithm="AES", targetField="a", fieldNameSuffix="", mode="CTR", padding="NoPadding",
                     key={"_secret": "5"})], "mapper 1 (encryption): the key is a reference that was not resolved")):
        run = Run(source="open(HERE + '/ran', 'w')", streams=[mapped("s", "a", mappers)]).go()
        body = run.failed("tream 's': mapper 1", origin="airbyte_platform")
        assert text in json.dumps(body["output"]["failures"]).replace("Stream", "stream"), body
        assert body["output"]["failures"][0]["failureType"] == "config_error"
        assert not os.path.exists(run.folder + "/ran")
        run.close()
    return run


def case_value_that_a_mapper_cannot_take():
    """What came before is delivered and committed; the value itself is nowhere."""
    run = Run(source="""
record("s", {"a": "exactly 16 bytes"}); state("s", 1); record("s", {"a": "topsecret"}); state("s", 2); time.sleep(20)
""", streams=[mapped("s", "a", [mapper("encryption", algorithm="AES", targetField="a", fieldNameSuffix="", mode="CBC",
                                       padding="NoPadding", key=KEY)])]).go()
    body = run.failed("tream 's': mapper 1 (encryption) on field 'a': a value of 9 bytes cannot be encrypted", origin="replication")
    assert body["output"]["failures"][0]["failureType"] == "config_error"
    assert [s["stream"]["stream_state"] for s in run.states()] == [1]
    everything = run.received().decode() + json.dumps(run.log()) + json.dumps(body)
    assert "topsecret" not in everything and "exactly 16" not in everything and golden(run).count(b"\n") == 2
    assert run.took < 10
    return run


def case_broken_record_of_a_mapped_stream():
    """What the scanner lets pass is refused by the walk over the members."""
    run = Run(source="""
put('{"type":"RECORD","record":{"stream":"s","data":{"a":01,"b":"topsecret"},"emitted_at":1}}'); time.sleep(20)
""", streams=[mapped("s", "ab", [mapper("field-filtering", targetField="b")])]).go()
    body = run.failed("he source sent a broken record of stream 's'", origin="source")
    assert "topsecret" not in json.dumps(body) + json.dumps(run.log()) and golden(run) == b""
    return run


def case_keys_of_mappers_are_masked():
    run = Run(source=f"log('INFO', 'I found {KEY} somewhere'); record('s', {{'a': 'x'}})",
              streams=[mapped("s", "a", [mapper("encryption", algorithm="AES", targetField="a", fieldNameSuffix="", mode="GCM",
                                                padding="NoPadding", key=KEY)])]).go()
    run.succeeded()
    assert run.said("I found ****** somewhere") and KEY not in json.dumps(run.log())
    return run


def case_mapped_and_unmapped_streams():
    """A hundred thousand records, every second stream mapped: order and counts."""
    run = Run(source="""
for i in range(50000):
    put('{"type":"RECORD","record":{"stream":"%s","data":{"n":%d,"x":"%s"},"emitted_at":1}}' % ("st"[i % 2], i, "y" * (i % 50)))
    if i % 1000 == 999: state("s", i); state("t", i)
""", streams=[mapped("s", "nx", [mapper("field-filtering", targetField="x")]), mapped("t", "nx")], destination="""
expected = {"s": 0, "t": 1}
for line in sys.stdin.buffer:
    message = json.loads(line)
    if message["type"] == "STATE":
        put(line.rstrip())
    elif message["type"] == "RECORD":
        record = message["record"]
        assert record["data"]["n"] == expected[record["stream"]], (record, expected)
        assert ("x" in record["data"]) == (record["stream"] == "t")
        expected[record["stream"]] += 2
assert expected == {"s": 50000, "t": 50001}, expected
""").go()
    body = run.succeeded()
    assert [s["stats"]["recordsCommitted"] for s in body["stats"]["streams"]] == [25000, 25000]
    return run
