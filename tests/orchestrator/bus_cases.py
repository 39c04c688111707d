# SPDX-License-Identifier: Apache-2.0
"""Connectors started by the launcher, on a private message bus."""
import json
import os
import subprocess
import sys

import harness
from harness import AUTO_ID, Run


class BusRun(Run):
    def __init__(self, plan=None, **more):
        super().__init__(**more)
        at = self.argv.index("--spawn")
        spawn = self.argv[at:at + 2]
        self.argv = [word for word in self.argv if word not in spawn]
        self.daemon = subprocess.Popen(["dbus-daemon", "--session", "--nofork", "--print-address=1", "--address=unix:dir="
                                        + self.folder], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        address = self.daemon.stdout.readline().strip()
        self.env["DBUS_SYSTEM_BUS_ADDRESS"] = address
        plan = dict(plan or {}, id=AUTO_ID.replace("-", ""),
                    commands={role: ["/usr/bin/python3", "-S", "-E", f"{self.folder}/{role}.py"]
                              for role in ("source", "destination")})
        here = os.path.dirname(os.path.abspath(__file__))
        self.fake = subprocess.Popen([sys.executable, here + "/fake_bus.py", harness.INIT, self.folder + "/run", json.dumps(plan)],
                                     stdout=subprocess.PIPE, text=True, env=self.env)
        assert self.fake.stdout.readline() == "ready\n"

    def close(self):
        super().close()
        for process in (self.fake, self.daemon):
            process.kill()
            process.wait()
            process.stdout.close()


SOURCE = "record('s', {}); state('s', 1)"


def case_by_the_launcher():
    run = BusRun(source=SOURCE).go()
    run.succeeded()
    assert len(run.states()) == 1
    run.fake.kill()
    assert sorted(run.fake.stdout.read().split("\n")[:2]) == ["unit destination w-1", "unit source w-1"]
    assert b'"RECORD"' in run.received()
    return run


def case_files_are_in_the_sandbox():
    run = BusRun(kind="check", source="put(json.dumps({'type':'CONNECTION_STATUS','connectionStatus':{'status':'SUCCEEDED',"
                                      "'message':option('config')}}))").go()
    assert run.succeeded()["output"]["check"]["message"] == "/run/sluice-files/config.json"
    return run


def case_launcher_refuses():
    run = BusRun({"error": "source"}, source=SOURCE).go()
    run.failed("The source could not be started: the host is stopping", origin="source")
    return run


def case_stranger_on_the_socket():
    run = BusRun({"wrong": "source"}, source="open(HERE + '/ran', 'w')").go()
    run.failed("The source could not be started: process ", "is not in unit sluice-source-", origin="source")
    assert not os.path.exists(run.folder + "/ran")
    return run


def case_no_launcher():
    run = BusRun(source=SOURCE)
    run.fake.kill()
    run.fake.wait()
    run.go()
    run.failed("could not be started: ", "org.sluice.Launcher1")
    return run
