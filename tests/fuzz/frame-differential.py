#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Usage: frame-differential.py SL-FRAME-TELL RECORDS [SEED]. Our frames against protobuf's own library: what it writes we read,
and what we write it reads, value for value. Exit 77 (a skip) where the library is not installed."""
import datetime
import json
import math
import random
import subprocess
import sys

try:
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
except ImportError:
    print("python3-protobuf is not installed")
    sys.exit(77)

F = descriptor_pb2.FieldDescriptorProto
EPOCH = datetime.date(1970, 1, 1)


def make_messages():
    """The channel's schema, version 0.0.2, by its field numbers."""
    file = descriptor_pb2.FileDescriptorProto(name="channel.proto", package="c", syntax="proto3")

    def message(name, fields, oneof=None):
        made = file.message_type.add(name=name)
        if oneof:
            made.oneof_decl.add(name="kind")
        for number, (field, kind) in fields.items():
            repeated = kind.startswith("*")
            kind = kind.lstrip("*")
            added = made.field.add(name=field, number=number, label=F.LABEL_REPEATED if repeated else F.LABEL_OPTIONAL)
            if kind[0].isupper():
                added.type, added.type_name = F.TYPE_MESSAGE, ".c." + kind
            else:
                added.type = getattr(F, "TYPE_" + kind.upper())
            if oneof and number in oneof:
                added.oneof_index = 0
    message("Probe", {})
    message("LocalDateTime", {1: ("days", "sint64"), 2: ("nanos", "uint64")})
    message("OffsetTime", {1: ("nanos", "uint64"), 2: ("offset", "sint32")})
    message("OffsetDateTime", {1: ("second", "sint64"), 2: ("nano", "uint32"), 3: ("offset", "sint32")})
    message("Value", {1: ("boolean", "bool"), 2: ("string", "string"), 3: ("integer", "sint64"), 4: ("big_integer", "string"),
                      5: ("number", "double"), 6: ("big_decimal", "string"), 7: ("date", "sint64"), 8: ("time_tz", "OffsetTime"),
                      9: ("time", "uint64"), 10: ("timestamp_tz", "OffsetDateTime"), 11: ("timestamp", "LocalDateTime"),
                      12: ("json", "bytes"), 13: ("is_null", "bool")}, oneof=range(1, 13))
    message("Change", {1: ("field", "string"), 2: ("change", "int32"), 3: ("reason", "int32")})
    message("Meta", {1: ("changes", "*Change")})
    message("Record", {1: ("namespace", "string"), 2: ("stream", "string"), 3: ("emitted_at", "uint64"), 4: ("partition", "string"),
                       5: ("data", "*Value"), 6: ("meta", "Meta")})
    message("Message", {1: ("record", "Record"), 2: ("text", "string"), 3: ("probe", "Probe")}, oneof=(1, 2, 3))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    factory = message_factory.MessageFactory(pool)
    return factory.GetPrototype(pool.FindMessageTypeByName("c.Message"))


Message = make_messages()
TIME = {"type": "string", "airbyte_type": "time_without_timezone"}
PROPERTIES = {"a": {"type": "integer"}, "b": {"type": "number"}, "c": {"type": "string"}, "d": {"type": "boolean"},
              "e": {"type": "string", "format": "date"}, "f": {"type": "string", "format": "date-time"},
              "g": {"type": "string", "airbyte_type": "timestamp_without_timezone"}, "h": TIME,
              "i": {"type": "string", "airbyte_type": "time_with_timezone"}, "j": {"type": "object"}}
SCHEMA = json.dumps({"properties": PROPERTIES})


def text_of_time(nanos):
    seconds, fraction = divmod(nanos, 10**9)
    text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return text + (f".{fraction:09}".rstrip("0") if fraction else "")


def text_of_zone(offset):
    return "Z" if offset == 0 else f"{'-' if offset < 0 else '+'}{abs(offset) // 3600:02}:{abs(offset) // 60 % 60:02}"


def text_of_date(days):
    return (EPOCH + datetime.timedelta(days=days)).isoformat()


def some_text(rand):
    return "".join(rand.choice("aé\u4e00\U0001f600\"\\/\n\t\x01 z") for _ in range(rand.choice((0, 1, 5, 40, 200))))


def some_value(rand, name):
    """(how to set it in a Value, its JSON)."""
    nanos = rand.choice((0, rand.randrange(86400) * 10**9, rand.randrange(86400 * 10**9)))
    offset, days = rand.randrange(-18 * 60, 18 * 60 + 1) * 60, rand.randrange(-719162, 2932896)
    if rand.random() < 0.1:
        return {"is_null": True}, None
    if name == "a":
        n = rand.choice((rand.randrange(-200, 200), rand.randrange(-2**63, 2**63), rand.randrange(-10**30, 10**30)))
        return ({"integer": n} if -2**63 <= n < 2**63 else {"big_integer": str(n)}), n
    if name == "b":
        if rand.random() < 0.5:
            number = rand.choice((0.1, -1.5e300, rand.random(), float(rand.randrange(10**6)), math.nan, 5e-324))
            return {"number": number}, None if math.isnan(number) else number
        text = f"{rand.randrange(-10**9, 10**9)}.{rand.randrange(10**6):06}"
        return {"big_decimal": text}, float(text)
    if name == "c":
        text = some_text(rand)
        return {"string": text}, text
    if name == "d":
        value = rand.random() < 0.5
        return {"boolean": value}, value
    if name == "e":
        return {"date": days}, text_of_date(days)
    if name == "f":
        second, nano = days * 86400 + rand.randrange(86400), nanos % 10**9
        days, of_day = divmod(second + offset, 86400)
        if not -719162 <= days < 2932896:
            return {"is_null": True}, None
        text = f"{text_of_date(days)}T{text_of_time(of_day * 10**9 + nano)}{text_of_zone(offset)}"
        return {"timestamp_tz": {"second": second, "nano": nano, "offset": offset}}, text
    if name == "g":
        return {"timestamp": {"days": days, "nanos": nanos}}, f"{text_of_date(days)}T{text_of_time(nanos)}"
    if name == "h":
        return {"time": nanos}, text_of_time(nanos)
    if name == "i":
        return {"time_tz": {"nanos": nanos, "offset": offset}}, text_of_time(nanos) + text_of_zone(offset)
    value = rand.choice(({}, [1, [2, {"x": some_text(rand)}]], {"deep": {"er": None}}))
    return {"json": json.dumps(value).encode()}, value


def set_value(value, parts):
    for name, part in parts.items():
        if isinstance(part, dict):
            getattr(value, name).SetInParent()
            for inner, number in part.items():
                setattr(getattr(value, name), inner, number)
        else:
            setattr(value, name, part)


def frame_of(message):
    data, head = message.SerializeToString(), bytearray()
    n = len(data)
    while n >= 0x80:
        head.append(n & 0x7f | 0x80)
        n >>= 7
    return bytes(head) + bytes([n]) + data


def split(data):
    at = 0
    while at < len(data):
        n = shift = 0
        while True:
            byte = data[at]
            n |= (byte & 0x7f) << shift
            at, shift = at + 1, shift + 7
            if byte < 0x80:
                break
        yield data[at:at + n]
        at += n


def run(tell, verb, data):
    return subprocess.run([tell, verb, SCHEMA], input=data, stdout=subprocess.PIPE, check=True).stdout


def theirs_to_ours(tell, rand, count):
    frames, expected = [], []
    for i in range(count):
        made = Message()
        if i % 50 == 0:
            made.probe.SetInParent()
            expected.append(None)
        else:
            made.record.namespace, made.record.stream, made.record.emitted_at = "n", "s", rand.randrange(2**63)
            made.record.partition = f"p{i}"
            row = {}
            for name in list(PROPERTIES)[:rand.choice((10, 10, 10, 3, 0))]:
                parts, row[name] = some_value(rand, name)
                set_value(made.record.data.add(), parts)
            if rand.random() < 0.2:
                made.record.meta.changes.add(field="a", change=1, reason=rand.randrange(11))
            expected.append((str(made.record.emitted_at), f"p{i}", {name: row.get(name) for name in PROPERTIES}))
        frames.append(frame_of(made))
    lines = run(tell, "decode", b"".join(frames)).decode().split("\n")[:-1]
    assert len(lines) == count, (len(lines), count, lines[-1:])
    for line, wanted, frame in zip(lines, expected, frames):
        if wanted is None:
            assert line == "probe", line
            continue
        ns, stream, emitted_at, partition, data = line.split(" ", 4)
        assert (ns, stream, emitted_at, partition) == ("n", "s", *wanted[:2]), line
        assert json.loads(data) == wanted[2], f"{frame.hex()}\n{data}\n{wanted[2]}"


def ours_to_theirs(tell, rand, count):
    rows = [{name: some_value(rand, name)[1] for name in PROPERTIES if rand.random() < 0.9} for _ in range(count)]
    lines = []
    for row in rows:
        names = list(row)
        rand.shuffle(names)
        lines.append(json.dumps({name: row[name] for name in names}, ensure_ascii=rand.random() < 0.5).encode() + b"\n")
    found = [Message.FromString(body).record for body in split(run(tell, "encode", b"".join(lines)))]
    assert len(found) == count
    for record, row in zip(found, rows):
        assert (record.namespace, record.stream, record.partition) == ("n", "s", "p") and len(record.data) == len(PROPERTIES)
        for value, name in zip(record.data, PROPERTIES):
            assert read(value) == row.get(name), (name, value, row.get(name))


def read(value):
    kind = value.WhichOneof("kind")
    if value.is_null or kind is None:
        return None
    part = getattr(value, kind)
    if kind in ("boolean", "string", "integer", "number"):
        return part
    if kind == "big_integer":
        return int(part)
    if kind == "big_decimal":
        return float(part)
    if kind == "json":
        return json.loads(part)
    if kind == "date":
        return text_of_date(part)
    if kind == "time":
        return text_of_time(part)
    if kind == "time_tz":
        return text_of_time(part.nanos) + text_of_zone(part.offset)
    if kind == "timestamp":
        return f"{text_of_date(part.days)}T{text_of_time(part.nanos)}"
    days, second = divmod(part.second + part.offset, 86400)
    return f"{text_of_date(days)}T{text_of_time(second * 10**9 + part.nano)}{text_of_zone(part.offset)}"


def main():
    tell, count = sys.argv[1], int(sys.argv[2])
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(2**32)
    print(f"seed {seed}", flush=True)
    rand = random.Random(seed)
    theirs_to_ours(tell, rand, count)
    ours_to_theirs(tell, rand, count)


main()
