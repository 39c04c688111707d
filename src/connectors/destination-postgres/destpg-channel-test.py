#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Tables are the same, whichever way records come: through the pipe, as lines over sockets, as PROTOBUF frames."""
import json
import os
import subprocess
import sys
import threading

from channel_test import environment, field, listen, message_frame, record_frame, zigzag
from kit_test import catalog, main, record, state, status
from pg_test import complete, config, pg_stream, psql, schema

SAMPLE = os.path.join(os.path.dirname(os.path.abspath(sys.argv[1])), "source-sample")


def feed(c, what, form, n, parts):
    """Writes parts[i] to socket i; what it said, when it has ended."""
    env, paths = environment(str(c.dir), n, form)
    servers = [listen(p) for p in paths]
    args = c.args("write", config(), what)
    process = subprocess.Popen([c.program, *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env={**os.environ, **env})
    sockets = [s.accept()[0] for s in servers]

    def run(i):
        sockets[i].sendall(parts[i])
        sockets[i].close()
    threads = [threading.Thread(target=run, args=(i,)) for i in range(n)]
    for t in threads:
        t.start()
    out = process.stdout.read()
    for t in threads:
        t.join()
    for path in paths:
        os.unlink(path)
    assert process.wait() == 0, out
    return [json.loads(line) for line in out.splitlines()]


COLUMNS = {"a_int": "integer", "b_num": "number", "c_text": "string", "d_bool": "boolean", "e_date": {"type": "string", "format": "date"},
           "f_tstz": {"type": "string", "format": "date-time", "airbyte_type": "timestamp_with_timezone"},
           "g_ts": {"type": "string", "format": "date-time", "airbyte_type": "timestamp_without_timezone"},
           "h_timetz": {"type": "string", "airbyte_type": "time_with_timezone"},
           "i_time": {"type": "string", "airbyte_type": "time_without_timezone"}, "j_obj": "object", "k_arr": {"type": "array"},
           "l_union": {"type": ["string", "integer"]}}
DAY, HOUR = 86400, 3600
# A record as JSON, and the values of its frame, made by hand.
ROWS = [
    ({"a_int": 7, "b_num": 0.1, "c_text": "é\n\"\\", "d_bool": True, "e_date": "2024-02-29", "f_tstz": "2024-02-29T12:00:00.25+02:00",
      "g_ts": "2024-02-29T12:00:00.5", "h_timetz": "12:30:00+01:00", "i_time": "23:59:59.999999", "j_obj": {"x": [1, None]},
      "k_arr": [1, "b"], "l_union": "text"},
     [7, field(6, b"0.1"), "é\n\"\\", True, field(7, zigzag(19782)),
      field(10, field(1, zigzag(19782 * DAY + 10 * HOUR)) + field(2, 250000000) + field(3, zigzag(2 * HOUR))),
      field(11, field(1, zigzag(19782)) + field(2, (12 * HOUR * 2 + 1) * 500000000)),
      field(8, field(1, 45000 * 10**9) + field(2, zigzag(HOUR))), field(9, 86399999999000),
      {"x": [1, None]}, [1, "b"], field(12, b'"text"')]),
    ({"a_int": -9223372036854775808, "b_num": -1.5e-7, "c_text": "", "d_bool": False, "e_date": "0001-01-01",
      "f_tstz": "1969-12-31T23:59:59Z", "g_ts": "9999-12-31T00:00:00", "l_union": 5},
     [-9223372036854775808, -1.5e-7, "", False, field(7, zigzag(-719162)), field(10, field(1, zigzag(-1))),
      field(11, field(1, zigzag(2932896))), None, b"", None, None, field(12, b"5")]),
    ({"a_int": 2}, [2]),
]


def table(name):
    return psql(f'select {", ".join(COLUMNS)}, _airbyte_meta->>\'changes\' from "{name}" order by a_int')


def test_every_type(c):
    def what(name):
        return catalog(pg_stream(name, schema=schema(**COLUMNS)))
    lines = [record("plain", row) for row, _ in ROWS]
    c.write(config(), what("plain"), lines + complete("plain")).ok()
    last = {"id": 1, "partition_id": "p", "sourceStats": {"recordCount": len(ROWS)}}

    def end(name, made):
        return made(state(name, {"n": 1}, **last)), made(status(name, "COMPLETE"))
    jsonl = [json.dumps({"type": "RECORD", "record": {**record("jsonl", row)["record"], "partition_id": "p"}}).encode() + b"\n"
             for row, _ in ROWS]
    said, done = end("jsonl", lambda m: json.dumps(m).encode() + b"\n")
    feed(c, what("jsonl"), "JSONL", 2, [said + jsonl[0], jsonl[1] + jsonl[2] + done])
    framed = [record_frame("framed", values, "p") for _, values in ROWS]
    said, done = end("framed", message_frame)
    out = feed(c, what("framed"), "PROTOBUF", 2, [said + framed[1], framed[0] + framed[2] + done])
    assert len([m for m in out if m["type"] == "STATE"]) == 1
    assert table("plain") == table("jsonl") == table("framed"), (table("plain"), table("framed"))
    assert len(table("plain")) == 3


def sample(c, name, form, n=4):
    """source-sample into tables of a schema of that name."""
    env = environment(str(c.dir), n, form)[0] if form else {}
    config_file = c.file("sample.json", {"count": 3000, "seed": 4, "always_updated": False})
    found = subprocess.run([SAMPLE, "discover", "--config", config_file], stdout=subprocess.PIPE, check=True).stdout
    streams = json.loads(found)["catalog"]["streams"]
    what = catalog(*(pg_stream(s["name"], kind="append_dedup", generation=1, minimum=0, namespace=name, schema=s["json_schema"],
                               primary_key=["id"], cursor_field=["updated_at"]) for s in streams))
    source = {"streams": [{**s, "stream": {k: v for k, v in s["stream"].items() if k != "namespace"}} for s in what["streams"]]}
    if form is None:
        lines = subprocess.run([SAMPLE, "read", "--config", config_file, "--catalog", c.file("source.json", source)],
                               stdout=subprocess.PIPE, check=True).stdout
        lines = lines.replace(b'"stream":"', b'"namespace":"%s","stream":"' % name.encode())
        lines = lines.replace(b'"stream_descriptor":{', b'"stream_descriptor":{"namespace":"%s",' % name.encode())
        return c.write(config(), what, [lines]).ok()
    # The names are ours: the source knows no namespace, so both ends are given streams without one.
    what = {"streams": source["streams"]}
    write = subprocess.Popen([c.program, *c.args("write", config(schema=name), what)], stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, env={**os.environ, **env})
    read = subprocess.Popen([SAMPLE, "read", "--config", config_file, "--catalog", c.file("source.json", source)],
                            stdout=subprocess.DEVNULL, env={**os.environ, **env})
    out = write.stdout.read()
    assert read.wait() == 0 and write.wait() == 0, out
    assert out.count(b'"STATE"') == 7, out
    return None


def test_sample(c):
    sample(c, "piped", None)
    for form in ("JSONL", "PROTOBUF"):
        sample(c, form.lower(), form)
    for name, rows in (("users", 3000), ("products", 100), ("purchases", 3000)):
        columns = [row[0] for row in psql("select attname from pg_attribute where attrelid = "
                                          f"'piped.{name}'::regclass and attnum > 0 and attname not like '\\_airbyte%'")]
        both = ", ".join(f'"{column}"' for column in columns)
        for other in ("jsonl", "protobuf"):
            differing = psql(f"select count(*) from (select {both} from piped.{name} except select {both} from {other}.{name}) d")
            assert differing == [["0"]], (name, other, differing)
            assert psql(f"select count(*) from {other}.{name}") == [[str(rows)]]


main(globals())
