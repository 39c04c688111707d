#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""mail-sink.py PROGRAM: mail servers that behave in different ways, for a test program.

Runs PROGRAM FOLDER NAME=PORT…; what a server took stands in FOLDER/NAME.N (N from 0): the envelope, an empty line, the
message. Names: ok; login (user u, password p); refuse and later (550 and 451 for the receiver); silent (no greeting);
drop (hangs up in the middle of the message)."""
import base64
import os
import socket
import subprocess
import sys
import tempfile
import threading

NAMES = ("ok", "login", "refuse", "later", "silent", "drop")


class Sink:
    def __init__(self, name, folder):
        self.name, self.folder, self.count = name, folder, 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.socket.accept()
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection):
        with connection, connection.makefile("rwb") as file:
            if self.name == "silent":
                file.read()
                return
            self.say(file, "220 sink")
            envelope, user = [], None
            for line in file:
                verb, _, rest = line.decode("ascii").strip().partition(" ")
                verb = verb.upper()
                if verb == "EHLO":
                    self.say(file, "250-sink\r\n250 AUTH PLAIN" if self.name == "login" else "250 sink")
                elif verb == "AUTH":
                    user = self.login(file, rest)
                elif verb == "MAIL" and self.name == "login" and user is None:
                    self.say(file, "530 login first")
                elif verb == "RCPT" and self.name in ("refuse", "later"):
                    self.say(file, "550 no such user" if self.name == "refuse" else "451 try again later")
                elif verb in ("MAIL", "RCPT"):
                    envelope.append(line.decode("ascii").strip())
                    self.say(file, "250 ok")
                elif verb == "DATA":
                    self.say(file, "354 go on")
                    if self.name == "drop":
                        file.readline()
                        return
                    self.keep(envelope, file)
                    self.say(file, "250 taken")
                elif verb == "QUIT":
                    self.say(file, "221 bye")
                    return
                else:
                    self.say(file, "250 ok")

    @staticmethod
    def say(file, text):
        file.write(text.encode("ascii") + b"\r\n")
        file.flush()

    def login(self, file, rest):
        _, _, token = rest.partition(" ")
        if not token:
            self.say(file, "334 ")
            token = file.readline().decode("ascii").strip()
        good = base64.b64decode(token) == b"\0u\0p"
        self.say(file, "235 welcome" if good else "535 wrong password")
        return "u" if good else None

    def keep(self, envelope, file):
        lines = []
        for line in file:
            if line == b".\r\n":
                break
            lines.append(line[1:] if line.startswith(b"..") else line)
        path = os.path.join(self.folder, f"{self.name}.{self.count}")
        self.count += 1
        with open(path + ".tmp", "wb") as out:
            out.write("\n".join(envelope).encode("ascii") + b"\n\n" + b"".join(lines))
        os.rename(path + ".tmp", path)


def main():
    with tempfile.TemporaryDirectory() as folder:
        sinks = [Sink(name, folder) for name in NAMES]
        command = sys.argv[1:] + [folder] + [f"{sink.name}={sink.port}" for sink in sinks]
        sys.exit(subprocess.run(command, check=False).returncode)


main()
