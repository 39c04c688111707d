# SPDX-License-Identifier: Apache-2.0
"""The real sluice-server on sockets and a database of its own, under with-postgres, without systemd or a bus."""
import http.client
import json
import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.parse


def until(what, condition, seconds=60):
    end = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError(f"did not come about: {what}")
        time.sleep(0.05)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Answer:
    def __init__(self, response, body):
        self.status, self.headers, self.body = response.status, response.headers, body

    def json(self):
        return json.loads(self.body)


class Server:
    """programs: {"bootloader", "server", "migrations", "definitions"}; a command line or a folder each."""

    def __init__(self, programs, settings="", database="api"):
        self.programs = programs
        self.folder = tempfile.mkdtemp(prefix="sl-api-")
        os.chmod(self.folder, 0o755)
        self.database, self.process = database, None
        subprocess.run(["dropdb", "--if-exists", "--force", database], check=True, stderr=subprocess.DEVNULL)
        subprocess.run(["createdb", database], check=True)
        conf = os.path.join(self.folder, "sluice.conf")
        with open(conf, "w", encoding="ascii") as file:
            file.write(f"[Database]\nUrl=postgresql:///{database}\n[Server]\nIdleSec=1d\n{settings}")
        self.env = {**os.environ, "SLUICE_CONF": conf, "SLUICE_BUS": "none", "LC_ALL": "C.UTF-8"}
        subprocess.run([programs["bootloader"], f"--migrations={programs['migrations']}",
                        f"--definitions={programs['definitions']}"], env=self.env, check=True, stdout=subprocess.DEVNULL)
        self.path = os.path.join(self.folder, "api.sock")
        self.local = socket.socket(socket.AF_UNIX)
        self.local.bind(self.path)
        self.local.listen(512)
        self.tcp = socket.socket()
        self.tcp.bind(("127.0.0.1", 0))
        self.tcp.listen(512)
        self.port = self.tcp.getsockname()[1]
        self.start()

    def start(self):
        log = os.path.join(self.folder, "log")

        def hand_over():
            # systemd's way: descriptors from 3 on
            low = [os.dup(s.fileno()) for s in (self.tcp, self.local)]
            high = [os.dup2(fd, 200 + i, inheritable=True) for i, fd in enumerate(low)]
            for i, fd in enumerate(high):
                os.dup2(fd, 3 + i, inheritable=True)
                os.close(fd)
        # LISTEN_PID is the process that execs: only a shell knows it beforehand
        with open(log, "a", encoding="utf-8") as file:
            self.process = subprocess.Popen(["sh", "-c", 'LISTEN_PID=$$ LISTEN_FDS=2 exec "$0"', self.programs["server"]],
                                            env=self.env, preexec_fn=hand_over, close_fds=False, stdout=file, stderr=file)
        until("the server answers", self.is_up)

    def is_up(self):
        if self.process.poll() is not None:
            raise AssertionError("the server ended:\n" + self.log())
        try:
            return self.ask("GET", "/api/v1/health", timeout=2).status == 200
        except OSError:
            return False

    def log(self):
        with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def connection(self, timeout=30):
        return UnixConnection(self.path, timeout)

    def ask(self, method, path, body=None, headers=None, timeout=30):
        """As root, on the unix socket. A body that is neither bytes nor text becomes JSON."""
        connection = self.connection(timeout)
        try:
            return ask_on(connection, method, path, body, headers)
        finally:
            connection.close()

    def sql(self, text):
        done = subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", self.database, "-1", "-f", "-"], input=text,
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        return done.stdout.strip()

    def resident(self):
        """Bytes."""
        with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return self.process.returncode

    def close(self):
        status = self.stop()
        self.tcp.close()
        self.local.close()
        subprocess.run(["rm", "-rf", self.folder], check=True)
        return status


def ask_on(connection, method, path, body=None, headers=None):
    headers = dict(headers or {})
    if body is not None and not isinstance(body, (bytes, str)):
        body = json.dumps(body)
    if isinstance(body, str):
        body = body.encode("utf-8", "surrogatepass")
    if body is not None:
        headers.setdefault("Content-Type", "application/json")
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    if response.getheader("Content-Type") == "text/event-stream":
        return Answer(response, b"")  # it has no end
    return Answer(response, response.read())


def quote(text):
    return urllib.parse.quote(text, safe="", errors="surrogatepass")
