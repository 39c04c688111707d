#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Usage: json-differential.py SL-JSON-TELL LINES [SEED]. What our scanner and strict reader say of made and damaged lines,
against Python's json. A disagreement prints the line and ends the run."""
import json
import random
import struct
import subprocess
import sys

TYPES = {"RECORD": "record", "STATE": "state", "LOG": "log", "SPEC": "spec", "CONNECTION_STATUS": "connectionStatus", "CATALOG": "catalog",
         "TRACE": "trace", "CONTROL": "control", "DESTINATION_CATALOG": "destination_catalog"}
NUMBERS = {number: name for number, name in enumerate(TYPES, 1)}
MAX_DEPTH = 512
SPANS = struct.Struct("<BBB12I")
SPACE = b" \t\r\n"


def refuse(text):
    raise ValueError(text)


def check_strings(values):
    """ValueError for half a surrogate pair, which Python lets pass. Objects inside have been checked already."""
    for value in values:
        if isinstance(value, str):
            value.encode("utf-8")
        elif isinstance(value, list):
            check_strings(value)


def build(pairs):
    """An object: of repeated keys the last one counts, but all of them must be good."""
    for key, value in pairs:
        key.encode("utf-8")
        if not isinstance(value, dict):
            check_strings([value])
    return dict(pairs)


# Numbers stay texts: 1e400 and 30 digits are not rounded before they are compared.
DECODER = json.JSONDecoder(parse_float=lambda text: ("number", text), parse_int=lambda text: ("number", text), parse_constant=refuse,
                           object_pairs_hook=build, strict=True)


def depth_of(value):
    """Depth of the containers, without recursion."""
    deepest, todo = 0, [(value, 1)]
    while todo:
        value, depth = todo.pop()
        if isinstance(value, (dict, list)):
            deepest = max(deepest, depth)
            todo += [(child, depth + 1) for child in (value.values() if isinstance(value, dict) else value)]
    return deepest


def parse(line):
    """The document, or None and False."""
    try:
        text = line.decode("utf-8").strip(" \t\r\n")
        value, end = DECODER.raw_decode(text)
        if not isinstance(value, dict):
            check_strings([value])
        if end != len(text) or depth_of(value) > MAX_DEPTH:
            return None, False
        return value, True
    except (ValueError, RecursionError):
        return None, False


def message_of(document):
    """Type name of a message and its payload, as the protocol wants them; None: it is none."""
    if not isinstance(document, dict):
        return None, None
    kind = document.get("type")
    if not isinstance(kind, str) or kind not in TYPES:
        return None, None
    payload = document.get(TYPES[kind])
    if kind == "RECORD":
        good = isinstance(payload, dict) and isinstance(payload.get("stream"), str) and isinstance(payload.get("data"), dict) and all(
            isinstance(payload.get(member), (wanted, type(None)))
            for member, wanted in (("namespace", str), ("meta", dict), ("emitted_at", tuple)))
        return (kind, payload) if good else (None, None)
    return kind, payload


class Disagreement(Exception):
    pass


def text_of(raw):
    return json.loads(b'"' + raw + b'"')


def check_record(line, payload, spans, flags):
    _, stream, ns, data, _, _ = spans
    if text_of(line[stream]) != payload["stream"]:
        raise Disagreement("the stream's name")
    if text_of(line[ns]) != (payload.get("namespace") or ""):
        raise Disagreement("the namespace")
    if bool(flags & 1) != (b"\\" in line[stream]) or bool(flags & 2) != (b"\\" in line[ns]):
        raise Disagreement("what has escapes")
    value, good = parse(line[data])
    if not good or value != payload["data"]:
        raise Disagreement("data")


def check(line, valid, kind, flags, spans):
    """What must hold; gives (valid, is a record)."""
    document, good = parse(line)
    if good != bool(valid):
        raise Disagreement(f"Python says {'valid' if good else 'invalid'}, the strict reader the opposite")
    expected, payload = message_of(document) if good else (None, None)
    told = NUMBERS.get(kind)
    if not good and told == "RECORD":
        data = spans[3]  # the only place where the scanner may overlook a fault
        repaired, mended = parse(line[:data.start] + b"{}" + line[data.stop:])
        if not mended or message_of(repaired)[0] != "RECORD":
            raise Disagreement("a record whose fault is not inside data")
        return False, True
    if told != expected:
        raise Disagreement(f"type {told}, expected {expected}")
    if told is not None and payload is not None and parse(line[spans[0]]) != (payload, True):
        raise Disagreement("payload")
    if told == "RECORD":
        check_record(line, payload, spans, flags)
    return good, told == "RECORD"


def read(stream):
    while head := stream.read(4):
        line = stream.read(struct.unpack("<I", head)[0])
        valid, kind, flags, *numbers = SPANS.unpack(stream.read(SPANS.size))
        yield line, valid, kind, flags, [slice(at, at + n) for at, n in zip(numbers[::2], numbers[1::2])]


def main():
    sys.setrecursionlimit(20000)
    program, lines = sys.argv[1], int(sys.argv[2])
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.SystemRandom().randrange(1 << 31)
    print(f"seed {seed}, {lines} lines", flush=True)
    number = n_valid = n_records = 0
    with subprocess.Popen([program, str(lines), str(seed)], stdout=subprocess.PIPE, bufsize=1 << 20) as process:
        for number, answer in enumerate(read(process.stdout), 1):
            try:
                valid, record = check(*answer)
            except Disagreement as error:
                print(f"seed {seed}, line {number}: {error}\n{answer[0]!r}")
                process.kill()
                return 1
            n_valid += valid
            n_records += record
    print(f"{number} lines, {n_valid} valid, {n_records} records: no disagreement")
    return 0 if number == lines and process.returncode == 0 and n_valid > lines / 2 and n_records > lines / 2 else 1


if __name__ == "__main__":
    sys.exit(main())
