# SPDX-License-Identifier: Apache-2.0
"""Runs sluice-orchestrator on connectors that are small scripts, against fake_api.py."""
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time

from fake_api import FakeApi

ORCHESTRATOR = INIT = None  # set by the caller
AUTO_ID = "550e8400-e29b-41d4-a716-446655440000"

CONF = """[Workload]
HeartbeatSec={heartbeat}
LeaseSec={lease}
[Connector]
JobTimeoutSec={job_timeout}
[Orchestrator]
CommitSec={commit}
MaxLine={max_line}
SourceSilenceSec={silence}
DestinationStallSec={stall}
MaxLog={max_log}
"""
DEFAULTS = {"heartbeat": "1s", "lease": "6s", "job_timeout": "20s", "commit": "200ms", "max_line": "200M",
            "silence": "30s", "stall": "30s", "max_log": "1M"}

# Every script begins with this: helpers to speak the protocol.
PRELUDE = """import json, os, signal, sys, time
out = sys.stdout.buffer
def put(line):
    out.write(line if isinstance(line, bytes) else line.encode()); out.write(b"\\n"); out.flush()
def say(kind, member, **payload):
    put(json.dumps({"type": kind, member: payload}, separators=(",", ":")))
def record(stream, data, **more):
    say("RECORD", "record", stream=stream, data=data, emitted_at=1, **more)
def state(stream, value, **more):
    say("STATE", "state", type="STREAM", stream={"stream_descriptor": {"name": stream}, "stream_state": value}, **more)
def status(stream, value):
    say("TRACE", "trace", type="STREAM_STATUS", emitted_at=1,
        stream_status={"stream_descriptor": {"name": stream}, "status": value})
def error(message, **more):
    say("TRACE", "trace", type="ERROR", emitted_at=1, error=dict(message=message, **more))
def log(level, message):
    say("LOG", "log", level=level, message=message)
def option(name):
    return sys.argv[sys.argv.index("--" + name) + 1]
HERE = os.path.dirname(os.path.abspath(__file__))
"""

# Keeps what it is given and echoes states.
SINK = """
with open(HERE + "/received", "wb") as file:
    for line in sys.stdin.buffer:
        file.write(line); file.flush()
        if line.startswith(b'{"type":"STATE"'):
            out.write(line); out.flush()
"""


made = threading.local()  # the runs of this thread's case


def close_all():
    for run in getattr(made, "runs", []):
        run.close()
    made.runs = []


def stream(name, **more):
    inner = {"name": name, "json_schema": {"type": "object"}, "supported_sync_modes": ["incremental"]}
    if "namespace" in more:
        inner["namespace"] = more.pop("namespace")
    return {"stream": inner, "sync_mode": "incremental", "destination_sync_mode": "append", **more}


class Run:
    """One workload. Keyword arguments: source, destination (scripts), input (members to add), conf."""

    def __init__(self, source=None, destination=SINK, kind="sync", streams=None, conf=None, log_folder=None, commands=None,
                 **members):
        self.folder = tempfile.mkdtemp(prefix="orch-")
        sides = {}
        if source is not None:
            sides["source"] = source
        if destination is not None and kind == "sync":
            sides["destination"] = destination
        if kind != "sync" and source is None:
            sides["destination"] = destination
        self.argv = [ORCHESTRATOR, "--workload", "w-1", "--auto-id", AUTO_ID, "--token-fd", "0",
                     "--run-folder", self.folder + "/run", "--spawn", "exec:" + INIT,
                     "--log-folder", log_folder or self.folder + "/logs"]
        workload = {"workloadId": "w-1", "type": kind, "jobId": 7, "attemptNumber": 0, "logPath": "7/0.ndjson"}
        for role, script in sides.items():
            path = f"{self.folder}/{role}.py"
            with open(path, "w") as file:
                file.write(PRELUDE + script)
            command = (commands or {}).get(role, f"/usr/bin/python3 -S -E {path}")
            self.argv += ["--" + role, command.replace("@", self.folder)]
            workload[role] = {"configuration": {"password": "hunter22", "n": 1}, "secretPaths": ["password"]}
        if "destination" in workload:
            workload["destination"]["supportsRefreshes"] = True
        if kind == "sync":
            workload["catalog"] = {"streams": streams or [stream("s")]}
        workload.update(members)
        self.log_folder = log_folder or self.folder + "/logs"
        self.api = FakeApi(self.folder, workload)
        self.argv += ["--api", self.api.path]
        conf_path = self.folder + "/sluice.conf"
        with open(conf_path, "w") as file:
            file.write(CONF.format(**dict(DEFAULTS, **(conf or {}))))
        self.env = dict(os.environ, SLUICE_CONF=conf_path, LC_ALL="C")
        self.process = None
        made.runs = getattr(made, "runs", []) + [self]

    def start(self):
        self.begun = time.monotonic()
        self.stderr = open(self.folder + "/stderr", "w+")
        self.process = subprocess.Popen(self.argv, stdin=subprocess.PIPE, stderr=self.stderr, env=self.env)
        self.process.stdin.write(self.api.token.encode() + b"\n")
        self.process.stdin.close()
        return self

    def wait(self, timeout=30):
        timeout *= int(os.environ.get("SL_TEST_SLOWER", "1"))
        try:
            self.status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"still running after {timeout} s; log:\n{self.log()}")
        self.took = time.monotonic() - self.begun
        self.stderr.seek(0)
        self.errors = self.stderr.read()
        self.stderr.close()
        return self

    def go(self, timeout=30):
        return self.start().wait(timeout)

    def end(self):
        """Name and body of the call that ended the workload."""
        ends = [(name, body) for _, name, body, fault in self.api.calls
                if name in ("success", "failure", "cancel") and fault is None]
        assert len(ends) == 1, f"{len(ends)} ends: {ends}\n{self.errors}\n{self.log()}"
        return ends[0]

    def succeeded(self):
        name, body = self.end()
        assert name == "success", (name, body)
        assert self.status == 0, self.status
        return body

    def failed(self, *texts, origin=None):
        name, body = self.end()
        assert name == "failure", (name, body)
        everything = json.dumps(body["output"]["failures"], ensure_ascii=False)
        for text in texts:
            assert text in everything, f"'{text}' is not in {everything}"
        if origin is not None:
            assert body["source"] == origin, body["source"]
        return body

    def states(self):
        """Everything that was persisted, in order."""
        found = []
        for _, name, body, fault in self.api.calls:
            if fault is None and body and name in ("commit", "success", "failure", "cancel"):
                found += body.get("states") or []
        return found

    def configs(self):
        """New configurations that were stored, in order."""
        found = []
        for _, _, body, fault in self.api.calls:
            if fault is None and body:
                found += [c for c in (body.get("config"), body.get("output", {}).get("config")) if c]
        return found

    def received(self):
        with open(self.folder + "/received", "rb") as file:
            return file.read()

    def log(self):
        path = self.log_folder + "/7/0.ndjson"
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def said(self, text, **members):
        return any(text in line["message"] and all(line[k] == v for k, v in members.items()) for line in self.log())

    def close(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.api.close()
        shutil.rmtree(self.folder, ignore_errors=True)
