# SPDX-License-Identifier: Apache-2.0
"""Behaviour tests of connectors: runs the real program on files in a temporary folder.

A test is a function `test_…(c)`; c is a Connector with a folder of its own. main() prints TAP.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path


class Result:
    def __init__(self, done):
        self.code = done.returncode
        self.stderr = done.stderr.decode(errors="replace")
        self.lines = done.stdout.decode().splitlines()
        self.messages = [json.loads(line) for line in self.lines]

    def of(self, kind):
        return [m for m in self.messages if m["type"] == kind]

    def records(self, stream=None):
        return [m["record"]["data"] for m in self.of("RECORD")
                if stream is None or m["record"]["stream"] == stream]

    def states(self):
        return [m["state"] for m in self.of("STATE")]

    def errors(self):
        return [m["trace"]["error"] for m in self.of("TRACE") if m["trace"]["type"] == "ERROR"]

    def statuses(self):
        return [(m["trace"]["stream_status"]["stream_descriptor"]["name"],
                 m["trace"]["stream_status"]["status"])
                for m in self.of("TRACE") if m["trace"]["type"] == "STREAM_STATUS"]

    def logs(self):
        return [m["log"]["message"] for m in self.of("LOG")]

    def error(self):
        """The one TRACE ERROR of a run that failed."""
        assert self.code == 1, f"exit {self.code}, expected 1: {self.lines[-3:]} {self.stderr}"
        assert len(self.errors()) == 1, self.lines
        return self.errors()[0]

    def ok(self):
        assert self.code == 0, f"exit {self.code}: {self.lines[-3:]} {self.stderr}"
        assert self.stderr == "", self.stderr
        return self


class Connector:
    def __init__(self, program):
        self.program = program
        self.dir = Path(tempfile.mkdtemp(prefix="kit-test-"))
        self.env = {}

    def file(self, name, content):
        path = self.dir / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(path)

    def run(self, *args, stdin=b"", timeout=30):
        env = dict(os.environ, **self.env)
        return Result(subprocess.run([self.program, *args], input=stdin, capture_output=True,
                                     env=env, timeout=timeout, check=False))

    def popen(self, *args):
        return subprocess.Popen([self.program, *args], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, env=dict(os.environ, **self.env))

    def spec(self):
        return self.run("spec").ok().messages[0]["spec"]

    def check(self, config):
        return self.run("check", "--config", self.file("config.json", config))

    def check_fails(self, config):
        """The message of a check that must say FAILED."""
        status = self.check(config).ok().of("CONNECTION_STATUS")[0]["connectionStatus"]
        assert status["status"] == "FAILED", status
        return status["message"]

    def discover(self, config):
        result = self.run("discover", "--config", self.file("config.json", config)).ok()
        return result.of("CATALOG")[0]["catalog"]["streams"]

    def args(self, verb, config, catalog, state=None):
        args = [verb, "--config", self.file("config.json", config),
                "--catalog", self.file("catalog.json", catalog)]
        if state is not None:
            args += ["--state", self.file("state.json", state)]
        return args

    def read(self, config, catalog, state=None):
        return self.run(*self.args("read", config, catalog, state))

    def write(self, config, catalog, messages):
        """messages: dicts, or bytes that are sent as they are."""
        stdin = b"".join(m if isinstance(m, bytes) else json.dumps(m).encode() + b"\n"
                         for m in messages)
        return self.run(*self.args("write", config, catalog), stdin=stdin)


def stream(name, namespace=None, sync_mode="full_refresh", mode="append", schema=None, **more):
    """A configured stream."""
    inner = {"name": name, "json_schema": schema or {"type": "object", "properties": {}},
             "supported_sync_modes": ["full_refresh", "incremental"]}
    if namespace is not None:
        inner["namespace"] = namespace
    return {"stream": inner, "sync_mode": sync_mode, "destination_sync_mode": mode, **more}


def catalog(*streams):
    return {"streams": [s if isinstance(s, dict) else stream(s) for s in streams]}


def record(name, data, namespace=None, emitted_at=1700000000000):
    inner = {"stream": name, "data": data, "emitted_at": emitted_at}
    if namespace is not None:
        inner = {"namespace": namespace, **inner}
    return {"type": "RECORD", "record": inner}


def state(name, value, namespace=None, **more):
    descriptor = {"name": name}
    if namespace is not None:
        descriptor["namespace"] = namespace
    return {"type": "STATE", "state": {"type": "STREAM", "stream": {
        "stream_descriptor": descriptor, "stream_state": value}, **more}}


def status(name, word, namespace=None):
    descriptor = {"name": name}
    if namespace is not None:
        descriptor["namespace"] = namespace
    return {"type": "TRACE", "trace": {"type": "STREAM_STATUS", "emitted_at": 1700000000000,
            "stream_status": {"stream_descriptor": descriptor, "status": word}}}


def main(tests):
    cases = [(n, f) for n, f in tests.items() if n.startswith("test_")]
    print(f"1..{len(cases)}", flush=True)
    for number, (name, test) in enumerate(cases, 1):
        connector = Connector(sys.argv[1])
        try:
            test(connector)
            print(f"ok {number} {name}", flush=True)
        except Exception:  # a test may fail in any way
            for line in traceback.format_exc().splitlines():
                print("# " + line)
            print(f"not ok {number} {name}", flush=True)
        finally:
            shutil.rmtree(connector.dir, ignore_errors=True)
