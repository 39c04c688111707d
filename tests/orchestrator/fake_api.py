# SPDX-License-Identifier: Apache-2.0
"""A workload API for tests: one workload, on a unix socket, with faults on demand."""
import http.server
import json
import os
import socketserver
import threading
import time

BASE = "/api/v1/workload/"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def address_string(self):
        return "unix"

    def answer(self, status, body=None):
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def handle_call(self):
        api = self.server.api
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length)
        body = json.loads(raw) if raw else None
        call = self.path[len(BASE):].split("/")[-1]
        fault = api.take_fault(call)
        with api.lock:
            api.calls.append((time.monotonic(), call, body, fault))
            if raw:
                api.raw.append((call, raw))
        if fault == "drop":  # not a word: as if the API had died
            self.close_connection = True
            return
        if isinstance(fault, int):
            self.answer(fault, {"type": "x", "title": "no", "detail": f"fault {fault}", "status": fault})
            return
        if self.headers.get("Authorization") != f"Bearer {api.token}":
            self.answer(401, {"title": "who?"})
        elif call == "input":
            self.answer(200, api.input)
        elif call in ("running", "heartbeat"):
            self.answer(200, {"cancelRequested": api.cancel})
        elif call in ("commit", "success", "failure", "cancel"):
            self.answer(204)
            if call != "commit":
                api.ended.set()
        else:
            self.answer(404, {"title": "no such call"})

    do_GET = do_PUT = do_POST = handle_call


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        """A client that hangs up is no news here."""


class FakeApi:
    def __init__(self, folder, workload_input):
        self.path = os.path.join(folder, "api.sock")
        self.input = workload_input
        self.token = "t0k3n"
        self.cancel = False
        self.calls, self.raw = [], []
        self.faults = {}  # call → list of faults, each for one call; "always": for all
        self.lock = threading.Lock()
        self.ended = threading.Event()
        self.server = None
        self.open()

    def open(self):
        self.server = Server(self.path, Handler)
        self.server.api = self
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self):
        """As when the service is stopped: nobody listens."""
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            os.unlink(self.path)
            self.server = None

    def take_fault(self, call):
        with self.lock:
            faults = self.faults.get(call) or self.faults.get("*")
            if not faults:
                return None
            if faults[0] == "always":
                return faults[1]
            return faults.pop(0)

    def bodies(self, call):
        with self.lock:
            return [body for _, name, body, fault in self.calls if name == call and fault is None]

    def count(self, call):
        with self.lock:
            return sum(1 for _, name, _, _ in self.calls if name == call)
