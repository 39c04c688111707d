# SPDX-License-Identifier: Apache-2.0
"""Golden transcripts: golden/NAME/ has input.json (members of the input) and source.golden (what the source sends), and what
must come of them, byte for byte: destination.golden, states.json (what is persisted) and stats.json (of the end).
SLUICE_GOLDEN=write writes these three anew, for reading the difference."""
import functools
import json
import os

from harness import Run
from sync_cases import COMPLETE

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden")
PARTS = ("destination.golden", "states.json", "stats.json")


def outcome(run, body):
    stats = json.dumps(body["stats"], indent=1, ensure_ascii=False) + "\n"
    states = b"".join(json.dumps(state, ensure_ascii=False).encode() + b"\n" for state in run.states())
    return COMPLETE.sub(b'"emitted_at":0,"stream_status"', run.received()), states, stats.encode()


def play(name):
    folder = os.path.join(HERE, name)
    with open(folder + "/input.json", encoding="utf-8") as file:
        members = json.load(file)
    run = Run(source=f"out.write(open({folder + '/source.golden'!r}, 'rb').read())", destination="""
with open(HERE + "/received", "wb") as file:
    kept = []
    for line in sys.stdin.buffer:
        file.write(line)
        if line.startswith(b'{"type":"STATE"') or line.startswith(b'\\t{"type":"STATE"'): kept.append(line)
for line in kept: out.write(line)
""", conf={"commit": "60s"}, **members).go()
    got = outcome(run, run.succeeded())
    for part, text in zip(PARTS, got):
        path = os.path.join(folder, part)
        if os.environ.get("SLUICE_GOLDEN") == "write":
            with open(path, "wb") as file:
                file.write(text)
            continue
        with open(path, "rb") as file:
            expected = file.read()
        if text != expected:
            pairs = list(zip(expected.split(b"\n"), text.split(b"\n")))
            first = next((pair for pair in pairs if pair[0] != pair[1]), ("another length", len(text)))
            raise AssertionError(f"{name}/{part}: expected {first[0]!r}, got {first[1]!r}")
    return run


for folder_name in sorted(os.listdir(HERE)):
    globals()["case_golden_" + folder_name.replace("-", "_")] = functools.partial(play, folder_name)
