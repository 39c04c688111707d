#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
import base64
import csv
import gzip
import io
import json
import random
import signal

from kit_test import catalog, main, stream

INTEGER = {"type": ["null", "integer"]}
NUMBER = {"type": ["null", "number"]}
BOOLEAN = {"type": ["null", "boolean"]}
STRING = {"type": ["null", "string"]}
DATE = {"type": ["null", "string"], "format": "date"}


def timestamp(kind):
    return {"type": ["null", "string"], "format": "date-time",
            "airbyte_type": f"timestamp_{kind}_timezone"}


def config(c, name, content=None, form="csv", options=None, **more):
    c.env["SLUICE_LOCAL_FILES"] = str(c.dir)
    if content is not None:
        c.file(name, content)
    result = {"dataset_name": "d", "format": form, "url": f"/local/{name}",
              "provider": {"storage": "local"}, **more}
    if options is not None:
        result["reader_options"] = json.dumps(options)
    return result


def infer(c, *args, **more):
    """The properties that discover finds."""
    streams = c.discover(config(c, *args, **more))
    assert [s["name"] for s in streams] == ["d"]
    assert streams[0]["supported_sync_modes"] == ["full_refresh"]
    return streams[0]["json_schema"]["properties"]


def both(c, *args, **more):
    """Discover, then read with what was discovered: (properties, records)."""
    properties = infer(c, *args, **more)
    schema = {"type": "object", "properties": properties}
    result = c.read(config(c, *args, **more), catalog(stream("d", schema=schema))).ok()
    assert result.statuses()[-1] == ("d", "COMPLETE") and result.logs() == [], result.logs()
    assert result.states()[0]["sourceStats"]["recordCount"] == len(result.records())
    return properties, result.records()


def fails(c, *args, **more):
    error = c.read(config(c, *args, **more), catalog("d")).error()
    assert error["failure_type"] == "config_error", error
    return error["message"].replace(str(c.dir) + "/", "")


def test_check(c):
    good = config(c, "a.csv", "x,y\n1,2\n")
    assert c.check(good).ok().messages[0]["connectionStatus"]["status"] == "SUCCEEDED"
    cases = [
        (dict(good, format="parquet"), 'configuration.format: must be one of "csv", "jsonl"'),
        (dict(good, provider={"storage": "S3"}),
         'configuration.provider.storage: must be one of "local"'),
        (dict(good, url="/etc/passwd"), "configuration.url: must start with /local/"),
        (dict(good, url="/local/../a.csv"), "configuration.url: '..' is not allowed"),
        (dict(good, url="/local/none*.csv"), "configuration.url: no file matches"),
        (dict(good, reader_options="{"), "configuration.reader_options: "),
        (dict(good, reader_options="[]"), "configuration.reader_options: expected a JSON object"),
        (dict(good, reader_options='{"sepp":1}'),
         "configuration.reader_options.sepp: unknown option"),
        (dict(good, reader_options='{"sep":";;"}'),
         "configuration.reader_options.sep: expected one ASCII character"),
        (dict(good, reader_options='{"encoding":"utf-16"}'),
         'configuration.reader_options.encoding: expected "utf-8" or "latin-1"'),
        (dict(good, reader_options='{"dtype":{"x":"complex"}}'),
         "configuration.reader_options.dtype: expected the name of a type"),
        (dict(good, reader_options='{"names":["a","a"]}'),
         "configuration.reader_options.names: 'a' is there twice"),
        ({k: v for k, v in good.items() if k != "url"}, "configuration.url: missing"),
        (config(c, "ragged.csv", "x,y\n1,2\n1\n"), f"{c.dir}/ragged.csv, line 3: 1 fields"),
        (config(c, "empty.csv", ""), f"{c.dir}/empty.csv: no columns"),
    ]
    for bad, text in cases:
        assert c.check_fails(bad).startswith(text), c.check_fails(bad)
    assert c.check(dict(good, url="a.csv")).ok().of("CONNECTION_STATUS")
    assert c.check(dict(good, url="file:///local/a.csv")).ok().of("CONNECTION_STATUS")


def test_types(c):
    text = ("i,f,b,d,t,z,s,zip,e,big,mix\n"
            '1,1.5,true,2024-02-29,2024-01-01 10:00:00,2024-01-01T10:00:00.5+02:00,"a,b",007,,'
            "9223372036854775807,1\n"
            ' -2 ,.5,FALSE,2023-12-31,2024-01-01T10:00,2024-01-01 10:00:00Z,"say ""hi""",123,,'
            "9223372036854775808,2.5\n"
            ",1e3,,,,,,,,,true\n")
    properties, records = both(c, "a.csv", text)
    assert properties == {"i": INTEGER, "f": NUMBER, "b": BOOLEAN, "d": DATE,
                          "t": timestamp("without"), "z": timestamp("with"), "s": STRING,
                          "zip": STRING, "e": STRING, "big": NUMBER, "mix": STRING}, properties
    assert records[0] == {"i": 1, "f": 1.5, "b": True, "d": "2024-02-29",
                          "t": "2024-01-01T10:00:00", "z": "2024-01-01T10:00:00.5+02:00",
                          "s": "a,b", "zip": "007", "e": None, "big": 9223372036854775807,
                          "mix": "1"}
    assert records[1] == {"i": -2, "f": 0.5, "b": False, "d": "2023-12-31",
                          "t": "2024-01-01T10:00", "z": "2024-01-01T10:00:00Z",
                          "s": 'say "hi"', "zip": "123", "e": None, "big": 9223372036854775808,
                          "mix": "2.5"}
    assert records[2] == {"i": None, "f": 1000.0, "b": None, "d": None, "t": None, "z": None,
                          "s": None, "zip": None, "e": None, "big": None, "mix": "true"}


def test_widening_is_sticky(c):
    for values, want in [
        (["1", "2.5", "3"], NUMBER), (["1", "x", "2"], STRING), (["2.5", "1"], NUMBER),
        (["true", "1"], STRING), (["2024-01-01", "2024-01-01 00:00:00"], STRING),
        (["", "", "5"], INTEGER), (["1"] * 50000 + ["x"], STRING),
        (["2024-02-30"], STRING), (["2023-02-29"], STRING), (["1e9999"], STRING),
        (["-"], STRING), (["."], STRING), (["1."], NUMBER), (["00"], STRING), (["-0"], INTEGER),
        (["NaN"], STRING), (["+5"], STRING), (["2024-01-01T25:00:00"], STRING),
        (["2024-01-01T10:00:00+0530"], timestamp("with")),
    ]:
        properties = infer(c, "a.csv", "k,v\n" + "".join(f"r,{v}\n" for v in values))
        assert properties == {"k": STRING, "v": want}, (values[:3], properties)


def test_layout(c):
    want = ["a", "é\nü", 'q"', ""]
    for newline in ("\n", "\r\n"):
        text = f'\ufeffc1,c2{newline}a,1{newline}{newline}"é\nü",2{newline}"q""",3{newline}"",4'
        properties, records = both(c, "a.csv", text.encode())
        assert list(properties) == ["c1", "c2"]
        assert [r["c1"] for r in records] == want and [r["c2"] for r in records] == [1, 2, 3, 4]
    assert both(c, "a.csv", "a,b\n,\n")[1] == [{"a": None, "b": None}]
    assert both(c, "a.csv", "a,b\n1,\n2,")[1] == [{"a": 1, "b": None}, {"a": 2, "b": None}]
    control = both(c, "a.csv", b'a\n"\x01\t\\\x00\x7f"\n')[1]
    assert control == [{"a": "\x01\t\\\x00\x7f"}], control
    both(c, "a.csv", "a,a,,a.1\n1,2,3,4\n")
    assert list(infer(c, "a.csv", "a,a,,a.1\n1,2,3,4\n")) == ["a", "a.1", "Unnamed: 2", "a.1.1"]


def test_every_length_and_place_of_an_escape(c):
    rows = ["x" * n + e + "y" * m for n in range(20) for m in (0, 1, 16, 17)
            for e in ("", "\\", "\x1f", "é", "|")]
    text = "a|b\n" + "".join(f'"{r}"|{r.replace("|", "")}\n' for r in rows)
    records = both(c, "a.csv", text, options={"sep": "|"})[1]
    assert [r["a"] for r in records] == rows
    assert [r["b"] for r in records] == [r.replace("|", "") or None for r in rows]


def test_like_another_reader(c):
    """Random rows, over many windows of the input, against Python's csv."""
    dice = random.Random(5)
    pieces = ["a", "é", '"', ",", "\n", "\r\n", " ", "\\", "x" * 300, "漢字", "\t", "7", ""]
    rows = [["".join(dice.choices(pieces, k=dice.randrange(5))) for _ in range(3)]
            for _ in range(6000)]
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([["a", "b", "c"], *rows])
    data = text.getvalue().encode()
    assert len(data) > 600_000
    for content in (data, gzip.compress(data, 1)):
        result = c.read(config(c, "a.csv", content), catalog("d")).ok()
        assert [list(r.values()) for r in result.records()] == rows
    # Unquoted where that is possible: what is empty or a lone line end means something else there.
    rows = [[f.replace("\r\n", "\n") or None for f in row] for row in rows]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([["a", "b", "c"], *rows])
    result = c.read(config(c, "a.csv", text.getvalue().encode()), catalog("d")).ok()
    assert [list(r.values()) for r in result.records()] == rows


def test_reader_options(c):
    assert both(c, "a.csv", "a;b\n'x;y';2\n", options={"sep": ";", "quotechar": "'"})[1] == \
        [{"a": "x;y", "b": 2}]
    assert both(c, "a.csv", "a\tb\n1\t2\n", options={"delimiter": "\\t"})[1] == [{"a": 1, "b": 2}]
    assert both(c, "a.csv", "1,2\n3,4\n", options={"header": None})[1] == \
        [{"0": 1, "1": 2}, {"0": 3, "1": 4}]
    assert both(c, "a.csv", "1,2\n", options={"names": ["x", "y"]})[1] == [{"x": 1, "y": 2}]
    assert both(c, "a.csv", "a,b\n1,2\n", options={"names": ["x", "y"], "header": 0})[1] == \
        [{"x": 1, "y": 2}]
    assert both(c, "a.csv", "junk\n# \"more\nt1,t2\na,b\n1,2\n",
                options={"skiprows": 2, "header": 1})[1] == [{"a": 1, "b": 2}]
    assert len(both(c, "a.csv", "a\n1\n2\n3\n", options={"nrows": 2})[1]) == 2
    assert both(c, "a.csv", "é\ncafé\n".encode("latin-1"), options={"encoding": "latin-1"})[1] == \
        [{"é": "café"}]
    properties, records = both(c, "a.csv", "a,b\n1,2\n", options={"dtype": {"a": "string"}})
    assert properties == {"a": STRING, "b": INTEGER} and records == [{"a": "1", "b": 2}]
    assert infer(c, "a.csv", options={"dtype": "str"}) == {"a": STRING, "b": STRING}
    properties, records = both(c, "a.csv", "a\n1\nNA\n-\n", options={"na_values": ["NA", "-"]})
    assert properties == {"a": INTEGER} and records == [{"a": 1}, {"a": None}, {"a": None}]


def test_bad_files(c):
    assert fails(c, "a.csv", 'a,b\n1,2\n"x\ny",2\n3\n') == \
        "a.csv, line 5: 1 fields, expected 2"
    assert fails(c, "a.csv", "a,b\n1,2,3\n") == "a.csv, line 2: 3 fields, expected 2"
    assert fails(c, "a.csv", 'a\n1\n"x\n2\n') == "a.csv, line 3: a quote is never closed"
    assert fails(c, "a.csv", 'a,b\n1,"x"y\n') == \
        "a.csv, line 2: field 2: text behind a closing quote"
    assert fails(c, "a.csv", b"a\n1\ncaf\xe9\n").startswith("a.csv, line 3: not UTF-8")
    assert "UTF-16" in fails(c, "a.csv", "a\n".encode("utf-16"))
    assert fails(c, "a.csv.gz", gzip.compress(b"a\n" + b"1\n" * 9999)[:-20]) == \
        "a.csv.gz: the compressed data ends too early"
    assert "a.csv.gz: damaged gzip data" in fails(
        c, "a.csv.gz", gzip.compress(b"a\n1\n")[:-6] + b"xxxxxx")
    assert fails(c, "a.jsonl", '{"a":1}\n\n[1]\n', form="jsonl") == \
        "a.jsonl, line 3: expected an object"
    assert fails(c, "a.jsonl", '{"a":1}\n{"a":}\n', form="jsonl").startswith("a.jsonl, line 2: ")
    error = c.read(config(c, "a.csv", "a\n1\n"), catalog("x")).error()
    assert error["message"] == "catalog: there is no stream 'x'; the only one is 'd'"


def test_records_before_an_error_are_sent(c):
    result = c.read(config(c, "a.csv", "a,b\n1,2\n3\n"), catalog("d"))
    assert "line 3" in result.error()["message"] and len(result.records()) == 1
    assert result.statuses()[-1] == ("d", "INCOMPLETE") and result.states() == []


# "a,c\\n3,2.5\\n" as zstd(1) writes it.
ZSTD = base64.b64decode("KLUv/QRYUQAAYSxjCjMsMi41ClnYGWc=")


def test_compression_and_glob(c):
    c.file("p-1.csv", "a,b\n1,x\n")
    c.file("p-2.csv.gz", gzip.compress(b"b,a\n") + gzip.compress(b"y,2\n"))
    (c.dir / "p-dir").mkdir()
    want = [{"a": 1, "b": "x"}, {"b": "y", "a": 2}]
    c.file("p-3.csv.zst", ZSTD)
    want.append({"a": 3, "c": 2.5})
    properties, records = both(c, "p-*")
    assert records == want, records
    assert list(properties)[:2] == ["a", "b"]
    # The bytes decide, not the name.
    assert both(c, "q.csv", gzip.compress(b"a\n1\n"))[1] == [{"a": 1}]


def test_schema_decides_what_is_read(c):
    schema = {"properties": {"n": {"type": "integer"}, "gone": {"type": "string"}}}
    one = catalog(stream("d", schema=schema))
    result = c.read(config(c, "a.csv", "n,m\n1,x\nboo,y\nbah,z\n"), one).ok()
    assert result.records() == [{"n": 1}, {"n": "boo"}, {"n": "bah"}]
    assert len(result.logs()) == 1
    assert "line 3: column 'n' is not an integer as in the schema" in result.logs()[0]
    result = c.read(config(c, "a.csv"), catalog("d")).ok()
    assert result.records()[0] == {"n": "1", "m": "x"}


def test_jsonl(c):
    text = ('{"a":1,"b":"x","t":"2024-01-01T00:00:00Z","o":{"k":[1]},"l":[],"n":null}\r\n'
            '\n'
            ' {"a" : 2.50,"b":3,"u":"\\u00e9 é","big":123456789012345678901234567890} \n'
            '{}')
    properties, records = both(c, "a.jsonl", text, form="jsonl")
    assert properties == {
        "a": NUMBER, "b": STRING, "t": timestamp("with"), "n": STRING, "u": STRING, "big": NUMBER,
        "o": {"type": ["null", "object"], "additionalProperties": True},
        "l": {"type": ["null", "array"], "items": {}}}, properties
    assert len(records) == 3 and records[0]["o"] == {"k": [1]} and records[2] == {}
    schema = {"properties": {"a": NUMBER, "u": STRING}}
    result = c.read(config(c, "a.jsonl", form="jsonl"), catalog(stream("d", schema=schema))).ok()
    assert result.records() == [{"a": 1}, {"a": 2.5, "u": "é é"}, {}]
    assert '"data":{"a":2.50,"u":"\\u00e9 é"},' in "".join(result.lines), result.lines
    whole = c.read(config(c, "a.jsonl", form="jsonl"), catalog("d")).ok()
    assert '"data":{"a" : 2.50,"b":3,"u":' in "".join(whole.lines)
    assert len(both(c, "a.jsonl", form="jsonl", options={"skiprows": 1, "nrows": 1})[1]) == 1


def test_constant_memory(c):
    """A file that is larger than what the program may allocate."""
    block = "".join(f'{i},"name, {i}",{i / 4},2024-01-01T00:00:00Z\n' for i in range(10000))
    c.file("big.csv", "id,name,v,t\n" + block * 18)
    assert (c.dir / "big.csv").stat().st_size > 8_000_000
    properties = infer(c, "big.csv")
    assert properties["v"] == NUMBER
    process = c.popen(*c.args("read", config(c, "big.csv"),
                              catalog(stream("d", schema={"properties": properties}))))
    n = peak = 0
    for line in process.stdout:
        n += line.startswith(b'{"type":"RECORD"')
        if n == 170_000 and peak == 0:
            with open(f"/proc/{process.pid}/status", encoding="ascii") as f:
                peak = next(int(s.split()[1]) for s in f if s.startswith("RssAnon:"))
    assert process.wait() == 0 and n == 180_000
    with open(c.program, "rb") as f:
        sanitized = b"__asan_init" in f.read()  # keeps what was freed
    assert 0 < peak < 8192 or sanitized, f"{peak} kB"


def test_long_row_and_sigterm(c):
    long = "x" * 3_000_000
    assert both(c, "a.csv", f'a,b\n"{long}",1\n')[1] == [{"a": long, "b": 1}]
    c.file("loop.csv", "a\n" + "1\n" * 1_000_000)
    process = c.popen(*c.args("read", config(c, "loop.csv"), catalog("d")))
    process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    lines = process.stdout.read().splitlines()
    assert process.wait() == 143
    assert json.loads(lines[-1])["trace"]["stream_status"]["status"] == "INCOMPLETE"


main(globals())
