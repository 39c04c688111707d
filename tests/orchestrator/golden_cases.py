# SPDX-License-Identifier: Apache-2.0
"""Golden transcripts: golden/NAME/ has input.json (members of the input) and source.golden (what the source sends), and what
must come of them, byte for byte: destination.golden, states.json (what is persisted) and stats.json (of the end).
A source that ends with another status than 0 has it in source.status; a destination that echoes states in another order, or
not all of them, has their places in echoes.json. failures.json and configs.json (of CONTROL messages) are there where there are
any. <<y*300000>> stands for so many letters. SLUICE_GOLDEN=write writes what must come anew, for reading the difference."""
import functools
import json
import os
import re

from harness import Run
from sync_cases import COMPLETE

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden")
PARTS = ("destination.golden", "states.json", "stats.json", "failures.json", "configs.json")
LONG = re.compile(rb"<<y\*(\d+)>>")
TIME = re.compile(rb'"timestamp": [0-9]{13}')


def outcome(run, body):
    stats = json.dumps(body["stats"], indent=1, ensure_ascii=False) + "\n"
    states = b"".join(json.dumps(state, ensure_ascii=False).encode() + b"\n" for state in run.states())
    received = COMPLETE.sub(b'"emitted_at":0,"stream_status"', run.received())
    received = re.sub(rb"y{1000,}", lambda found: b"<<y*%d>>" % len(found[0]), received)
    failures = b"".join(TIME.sub(b'"timestamp": 0', json.dumps(failure, ensure_ascii=False).encode()) + b"\n"
                        for failure in body["output"]["failures"])
    configs = b"".join(json.dumps(config, ensure_ascii=False).encode() + b"\n" for config in run.configs())
    return received, states, stats.encode(), failures, configs


def read(path, missing):
    if not os.path.exists(path):
        return missing
    with open(path, "rb") as file:
        return file.read()


def play(name):
    folder = os.path.join(HERE, name)
    with open(folder + "/input.json", encoding="utf-8") as file:
        members = json.load(file)
    status = int(read(folder + "/source.status", b"0"))
    run = Run(source=f"""
import re
text = re.sub(rb"<<y\\*(\\d+)>>", lambda found: b"y" * int(found[1]), open({folder + '/source.golden'!r}, "rb").read())
out.write(text); out.flush(); sys.exit({status})""", destination="ORDER = " + read(folder + "/echoes.json", b"None").decode() + """
with open(HERE + "/received", "wb") as file:
    kept = []
    for line in sys.stdin.buffer:
        file.write(line)
        if line.startswith(b'{"type":"STATE"') or line.startswith(b'\\t{"type":"STATE"'): kept.append(line)
for place in ORDER if ORDER is not None else range(len(kept)): out.write(kept[place])
""", conf={"commit": "60s"}, **members).go()
    got = outcome(run, run.failed(origin="source") if status else run.succeeded())
    for part, text in zip(PARTS, got):
        path = os.path.join(folder, part)
        if os.environ.get("SLUICE_GOLDEN") == "write":
            if text or part in PARTS[:3]:
                with open(path, "wb") as file:
                    file.write(text)
            continue
        expected = read(path, b"")
        if text != expected:
            pairs = list(zip(expected.split(b"\n"), text.split(b"\n")))
            first = next((pair for pair in pairs if pair[0] != pair[1]), ("another length", len(text)))
            raise AssertionError(f"{name}/{part}: expected {first[0]!r}, got {first[1]!r}")
    return run


for folder_name in sorted(os.listdir(HERE)):
    globals()["case_golden_" + folder_name.replace("-", "_")] = functools.partial(play, folder_name)
