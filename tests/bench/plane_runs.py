# SPDX-License-Identifier: Apache-2.0
"""Runs of the data plane for bench-data-plane: a pipe, and the orchestrator in its place; what each took."""
import os
import resource
import statistics
import subprocess
import sys
import threading
import time

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("BUILD", SOURCE + "/build")
sys.path.insert(0, SOURCE + "/tests/orchestrator")
import harness  # noqa: E402
from harness import Run, stream  # noqa: E402

harness.ORCHESTRATOR = BUILD + "/src/orchestrator/sluice-orchestrator"
harness.INIT = BUILD + "/src/init/sluice-init"
ENDS = BUILD + "/tests/bench/bench-ends"
PROGRAMS = BUILD + "/src/connectors/programs"
TICK = os.sysconf("SC_CLK_TCK")
PATIENCE = 600


class Taken:
    """What a run took: wall, CPU seconds of all its processes, the orchestrator's user and system CPU seconds, waits and peak
    memory (kB)."""

    def __init__(self, wall, everyone, user=0.0, system=0.0, waits=0, memory=0):
        self.wall, self.everyone, self.user, self.system, self.waits, self.memory = wall, everyone, user, system, waits, memory


def children_cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def read_status(pid, name):
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        for line in file:
            if line.startswith(name + ":"):
                return int(line.split()[1])
    return 0


def watch_memory(pid, ret, done):
    while not done.is_set():
        try:
            ret[0] = max(ret[0], read_status(pid, "VmHWM"))
        except OSError:
            return
        done.wait(0.002)


def start_run(source, destination, streams, kind="sync", memory=False, configuration=None, channel=None, **members):
    """Commands of both ends; None for a destination that a job does not have. channel: a serialization, or None for pipes."""
    # The workload API of all runs is this one process: on a busy machine its answers take their time.
    members.setdefault("conf", {"heartbeat": "5s", "lease": "120s", "job_timeout": "120s", "silence": "300s", "stall": "300s"})
    commands = {role: command for role, command in (("source", source), ("destination", destination)) if command}
    run = Run(source="" if source else None, destination="" if destination else None, kind=kind, streams=streams,
              commands=commands, **members)
    for role, values in (configuration or {}).items():
        run.api.input[role]["configuration"] = values
        run.api.input[role]["secretPaths"] = []
    for role in ("source", "destination") if channel else ():
        run.api.input[role]["connectorIPCOptions"] = {"dataChannel": {
            "version": "0.0.2", "supportedSerialization": [channel], "supportedTransport": ["SOCKET"]}}
    run.memory = [0]
    run.cpu = children_cpu()
    run.gone = threading.Event()
    run.start()
    run.watch = None
    if memory:
        run.watch = threading.Thread(target=watch_memory, args=(run.process.pid, run.memory, run.gone), daemon=True)
        run.watch.start()
    return run


def finish_run(run):
    """Waits, and reads what the process took before it is gone: of itself, not of its children."""
    pid = run.process.pid
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    wall = time.monotonic() - run.begun
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        fields = file.read().rpartition(")")[2].split()
    user, system = int(fields[11]) / TICK, int(fields[12]) / TICK
    waits = read_status(pid, "voluntary_ctxt_switches")
    run.gone.set()
    run.wait(PATIENCE)
    run.succeeded()
    run.close()
    return Taken(wall, children_cpu() - run.cpu, user, system, waits, run.memory[0])


def orchestrated(source, destination, streams, **more):
    return finish_run(start_run(source, destination, streams, **more))


def direct(source, destination, argv_source=(), argv_destination=()):
    """The same two programs, joined by a pipe; each makes it as wide as ours is."""
    begun, cpu = time.monotonic(), children_cpu()
    first = subprocess.Popen([*source.split(), *argv_source], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    second = subprocess.Popen([*destination.split(), *argv_destination], stdin=first.stdout, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    first.stdout.close()
    statuses = first.wait(PATIENCE), second.wait(PATIENCE)
    assert statuses == (0, 0), f"direct pipe: exit statuses {statuses}"
    return Taken(time.monotonic() - begun, children_cpu() - cpu)


def pairs(count, one, other):
    """Results of both, run in turn, each first every second time."""
    ones, others = [], []
    for i in range(count):
        for function, results in ((one, ones), (other, others)) if i % 2 == 0 else ((other, others), (one, ones)):
            results.append(function())
    return list(zip(ones, others))


def median_ratio(results, what=lambda taken: taken.wall):
    return statistics.median(what(one) / max(what(other), 1e-9) for one, other in results)
