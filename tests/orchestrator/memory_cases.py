# SPDX-License-Identifier: Apache-2.0
"""What the orchestrator holds: 8 MiB and twice the longest line, however much goes through it."""
import json
import os
import threading

from harness import Run, stream

MIB = 1 << 20
BOUND = 8 * MIB


def programs():
    return os.environ.get("CONNECTORS", "")


def watch(run, peak):
    """VmHWM only grows: the last look before the end is near enough."""
    while run.process.poll() is None:
        try:
            with open(f"/proc/{run.process.pid}/status", encoding="ascii") as file:
                peak[0] = max([peak[0]] + [int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM:")])
        except (OSError, ValueError):
            return
        threading.Event().wait(0.01)


def go_watched(run, timeout):
    peak = [0]
    run.env.pop("MALLOC_PERTURB_", None)  # of meson: it would touch all memory that is only reserved
    run.start()
    watcher = threading.Thread(target=watch, args=(run, peak), daemon=True)
    watcher.start()
    run.wait(timeout)
    watcher.join()
    run.succeeded()
    assert peak[0] > 0, "nothing was measured"
    return peak[0]


def case_memory_of_a_long_sync():
    if os.environ.get("SL_TEST_SANITIZED") or not os.path.exists(programs() + "/source-sample"):
        return "the memory of sanitizers is not ours" if programs() else "no connectors here"
    count = 1_500_000
    run = Run(source="", destination="", streams=[stream(name) for name in ("users", "purchases", "products")], prefix="p_",
              commands={"source": programs() + "/source-sample", "destination": programs() + "/destination-dev-null"})
    run.api.input["source"] = {"configuration": {"count": count, "seed": 1, "records_per_slice": 1000}}
    run.api.input["destination"] = {"configuration": {"test_destination": {"test_destination_type": "SILENT"}}}
    peak = go_watched(run, 240)
    total = run.succeeded()["stats"]["total"]
    assert total["recordsCommitted"] == 2 * count + 100, total
    assert total["bytesCommitted"] > 500_000_000, total
    assert peak <= BOUND, f"{peak / MIB:.1f} MiB for {total['bytesCommitted']} bytes"
    return run


def case_memory_of_a_long_line():
    if os.environ.get("SL_TEST_SANITIZED"):
        return "the memory of sanitizers is not ours"
    size = 20_000_000
    script = f"""
for i in range(2000): record("s", {{"n": i}})
record("s", {{"t": "x" * {size}}})
for i in range(2000): record("s", {{"n": i}})
state("s", {{"done": True}})
"""
    run = Run(source=script, streams=[stream("s")], prefix="p_")
    peak = go_watched(run, 60)
    lines = run.received().splitlines()
    assert len(lines) == 4003 and len(lines[2000]) > size, (len(lines), len(lines[2000]))
    assert json.loads(lines[2000])["record"]["stream"] == "p_s"
    assert peak <= BOUND + 2 * (size + 200), f"{peak / MIB:.1f} MiB for a line of {size / MIB:.1f} MiB"
    return run
