#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""ask-spec.py WORKSPACE DEFINITION VERSION TIMES: how long a client waits for a connector's specification, from the request to the answer,
by the commands API on the unix socket. Prints milliseconds, one a line; the first one, which finds nothing warm, is left out."""
import http.client
import json
import socket
import sys
import time
import uuid


class Unix(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect("/run/sluice/api.sock")


def ask(connection, path, **body):
    connection.request("POST", f"/api/v1/commands/{path}", json.dumps(body), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read()
    if answer.status != 200:
        sys.exit(f"{path}: {answer.status} {text.decode()}")
    return json.loads(text)


def measure(connection, workspace, definition, version):
    begun, command = time.monotonic(), str(uuid.uuid4())
    ask(connection, "run/spec", id=command, workspace_id=workspace, actor_definition_id=definition, docker_image_tag=version)
    while ask(connection, "status", id=command)["status"] in ("pending", "running"):
        time.sleep(0.002)
    output = ask(connection, "output/spec", id=command)
    if output["status"] != "succeeded":
        sys.exit(json.dumps(output))
    return (time.monotonic() - begun) * 1000


def main():
    workspace, definition, version, times = sys.argv[1:]
    connection = Unix("localhost")
    for i in range(int(times) + 1):
        took = measure(connection, workspace, definition, version)
        if i > 0:
            print(f"{took:.1f}")


main()
