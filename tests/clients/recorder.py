#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""recorder.py PORT TARGET-PORT LOG: a proxy on 127.0.0.1 that passes everything on and keeps it, one JSON object a line.

So that it does not matter which client in which language asks. A line: method, path (as sent, with its query), agent, status, type
(of the answer's content), seconds, request, response (bodies; what is no UTF-8 is null)."""
import gzip
import http.client
import http.server
import json
import sys
import threading
import time

HOP = {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "content-length"}
DEADLINE = 300


def text_of(body, coding=None):
    if coding == "gzip":
        body = gzip.decompress(body)
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None


class Recorder(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port, target, log):
        super().__init__(("127.0.0.1", port), Handler)
        self.target, self.log, self.lock = target, log, threading.Lock()

    def keep(self, line):
        with self.lock:
            self.log.write(json.dumps(line) + "\n")
            self.log.flush()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def forward(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        # One connection a request: an idle server may close a kept one at any time.
        upstream = http.client.HTTPConnection("127.0.0.1", self.server.target, timeout=DEADLINE)
        headers = {k: v for k, v in self.headers.items() if k.lower() not in HOP}
        if body or self.command in ("POST", "PUT", "PATCH"):
            headers["Content-Length"] = str(len(body))
        begun = time.monotonic()
        upstream.request(self.command, self.path, body or None, headers)
        answer = upstream.getresponse()
        content = answer.read()
        upstream.close()
        self.server.keep({
            "method": self.command, "path": self.path, "agent": self.headers.get("User-Agent", ""), "status": answer.status,
            "type": answer.headers.get("Content-Type"), "seconds": round(time.monotonic() - begun, 3), "request": text_of(body),
            "response": text_of(content, answer.headers.get("Content-Encoding"))})
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in HOP:
                self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = forward

    def log_message(self, *args):
        pass


if __name__ == "__main__":
    with open(sys.argv[3], "a", encoding="utf-8") as file:
        Recorder(int(sys.argv[1]), int(sys.argv[2]), file).serve_forever()
