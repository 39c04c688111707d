#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Usage: mapper-differential.py SL-MAPPER-TELL STREAMS [SEED]. Random selections and lists of mappers on random records, against
a model in Python: what comes out must mean the same, and a text that is hashed or removed must be nowhere in it."""
import hashlib
import json
import random
import subprocess
import sys

FIELDS = ["id", "mail", "a", "b", "grüße", 'q"t', "a_hashed", "x y", "😀"]
METHODS = {"MD5": "md5", "SHA-1": "sha1", "SHA-224": "sha224", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}
RECORDS = 40


class Number(str):
    """A number's own text."""


DECODER = json.JSONDecoder(parse_float=Number, parse_int=Number)
PAIRS = json.JSONDecoder(object_pairs_hook=list)  # repeated members are seen


# --- making -----------------------------------------------------------------------------------------------------------

def spell(rand, text):
    """A string as JSON in one of its spellings."""
    if rand.random() < 0.5:
        return json.dumps(text, ensure_ascii=rand.random() < 0.5)
    return '"' + "".join(f"\\u{ord(c):04x}" if ord(c) < 0x10000 and rand.random() < 0.4 else json.dumps(c)[1:-1] for c in text) + '"'


def value_of(rand, serial):
    """JSON of a value; strings are unique, so that they can be looked for."""
    return rand.choice([
        lambda: spell(rand, f"text-{serial}-ü😀"), lambda: spell(rand, f"text-{serial}"), lambda: '"yes"', lambda: "null",
        lambda: "true", lambda: "1", lambda: "1.0", lambda: "-0.50e+1", lambda: "12345678901234567890123",
        lambda: '{"id": [%s], "mail":{}}' % spell(rand, "deep"), lambda: "[ ]", lambda: '[{"a":"}"}, "]"]', lambda: '""'])()


def record_of(rand, serial):
    names = [rand.choice(FIELDS + ["unknown", "other"]) for _ in range(rand.randrange(7))]
    space = lambda: rand.choice(["", "", "", " ", "\t "])  # noqa: E731
    return "{" + ",".join(f"{space()}{spell(rand, name)}{space()}:{space()}{value_of(rand, serial * 10 + i)}{space()}"
                          for i, name in enumerate(names)) + space() + "}"


def condition_of(rand, names, depth=0):
    kind = rand.choice(["EQUAL", "EQUAL", "NOT", "AND", "OR"]) if depth < 3 else "EQUAL"
    if kind == "EQUAL":
        return {"type": kind, "fieldName": rand.choice(names), "comparisonValue": rand.choice(["yes", "null", "true", "1", "1.0", "", "deep"])}
    return {"type": kind, "conditions": [condition_of(rand, names, depth + 1) for _ in range(rand.randrange(1, 4))]}


def mapper_of(rand, names):
    """A mapper that works on these names, which it changes."""
    field, kind = rand.choice(names), rand.choice(["hashing", "field-renaming", "field-filtering", "row-filtering"])
    if kind == "row-filtering":
        return {"type": kind, "mapperConfiguration": {"conditions": condition_of(rand, names)}}
    if kind == "field-filtering":
        names.remove(field)
        return {"type": kind, "mapperConfiguration": {"targetField": field}}
    target = rand.choice([f"{field}_hashed", field] if kind == "hashing" else FIELDS + ["new"])
    if target != field and target in names:
        target = field + "_2" if field + "_2" not in names else field
    names[names.index(field)] = target
    if kind == "hashing":
        return {"type": kind, "mapperConfiguration": {"targetField": field, "method": rand.choice(list(METHODS)),
                                                      "fieldNameSuffix": target[len(field):]}}
    return {"type": kind, "mapperConfiguration": {"originalFieldName": field, "newFieldName": target}}


def stream_of(rand):
    schema = rand.sample(FIELDS, rand.randrange(3, len(FIELDS)))
    made = {"stream": {"json_schema": {"properties": {name: {} for name in schema}}}}
    names = list(schema)
    if rand.random() < 0.5:
        names = rand.sample(schema, rand.randrange(1, len(schema)))
        made["selectedFields"] = [{"fieldPath": [name]} for name in names]
    mappers = []
    for _ in range(rand.randrange(5)):
        if names:
            mappers.append(mapper_of(rand, names))
    if mappers or "selectedFields" not in made:
        made["mappers"] = mappers or [{"type": "field-filtering", "mapperConfiguration": {"targetField": schema[0]}}]
    return made


# --- the model --------------------------------------------------------------------------------------------------------

def text_of(value):
    if isinstance(value, str):
        return str(value)
    return {None: "null", True: "true", False: "false"}[value] if value is None or isinstance(value, bool) else ""


def holds(condition, data):
    if condition["type"] == "EQUAL":
        return condition["fieldName"] in data and text_of(data[condition["fieldName"]]) == condition["comparisonValue"]
    results = [holds(child, data) for child in condition["conditions"]]
    return {"NOT": not any(results), "AND": all(results), "OR": any(results)}[condition["type"]]


def outputs(mapper):
    config = mapper["mapperConfiguration"]
    return {"hashing": lambda: config["targetField"] + config["fieldNameSuffix"],
            "field-renaming": lambda: config["newFieldName"]}.get(mapper["type"], lambda: None)()


def model(stream, data):
    """What comes out, or None."""
    schema = set(stream["stream"]["json_schema"]["properties"])
    mappers = stream.get("mappers", [])
    if "selectedFields" in stream:
        selected = {item["fieldPath"][0] for item in stream["selectedFields"]}
        data = {name: value for name, value in data.items() if name in selected}
    else:
        made = {outputs(mapper) for mapper in mappers} - schema
        data = {name: value for name, value in data.items() if name not in made}
    for mapper in mappers:
        config = mapper["mapperConfiguration"]
        if mapper["type"] == "row-filtering":
            if not holds(config["conditions"], data):
                return None
            continue
        field = config.get("targetField", config.get("originalFieldName"))
        if field not in data:
            continue
        value = data.pop(field)
        if mapper["type"] == "hashing":
            value = getattr(hashlib, METHODS[config["method"]])(text_of(value).encode()).hexdigest()
        if mapper["type"] != "field-filtering":
            data[outputs(mapper)] = value
    return data


def strings_in(value):
    if isinstance(value, dict):
        return [text for child in value.values() for text in strings_in(child)]
    if isinstance(value, list):
        return [text for child in value for text in strings_in(child)]
    return [value] if isinstance(value, str) and value.startswith("text-") else []


def check(stream, line, answer):
    """None, or what is wrong."""
    before = DECODER.decode(line)
    expected = model(stream, dict(before))
    kind, _, rest = answer.partition(" ")
    if kind == "-":
        return None if expected is None else "filtered out, but it should pass"
    if expected is None:
        return "it should have been filtered out"
    if kind == "=":
        return None if expected == before and int(rest) == len(line.encode()) else "passed as it is"
    if kind != ">":
        return "an error"
    text = rest.partition(" ")[2]
    after = DECODER.decode(text)
    if after != expected:
        return f"expected {json.dumps(expected, ensure_ascii=False)}"
    allowed = set(strings_in(expected))
    if "selectedFields" not in stream:  # repeated members that nobody has named pass as they came
        allowed |= {found for name, value in PAIRS.decode(line) if name not in stream["stream"]["json_schema"]["properties"]
                    for found in strings_in([value])}
    if any(found not in allowed for _, value in PAIRS.decode(text) for found in strings_in([value])):
        return "a text that should be gone"
    return None


def main():
    streams = int(sys.argv[2])
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.SystemRandom().randrange(1 << 31)
    rand = random.Random(seed)
    print(f"seed {seed}, {streams} streams of {RECORDS} records", flush=True)
    cases = []
    for number in range(streams):
        stream = stream_of(rand)
        cases.append((stream, [record_of(rand, number * RECORDS + i) for i in range(RECORDS)]))
    text = "".join("@" + json.dumps(stream) + "\n" + "".join(record + "\n" for record in records) for stream, records in cases)
    answers = iter(subprocess.run([sys.argv[1]], input=text.encode(), stdout=subprocess.PIPE, check=True).stdout.decode().split("\n"))
    kinds = {}
    for stream, records in cases:
        first = next(answers)
        if first != "ok":
            print(f"stream {json.dumps(stream, ensure_ascii=False)}: {first}")
            return 1
        for record in records:
            answer = next(answers)
            wrong = check(stream, record, answer)
            kinds[answer[:1]] = kinds.get(answer[:1], 0) + 1
            if wrong is not None:
                print(f"{wrong}\nstream {json.dumps(stream, ensure_ascii=False)}\nrecord {record}\nanswer {answer}")
                return 1
    print(f"no disagreement: {kinds}")
    return 0 if all(kinds.get(kind, 0) > streams for kind in "=>-") else 1


if __name__ == "__main__":
    sys.exit(main())
