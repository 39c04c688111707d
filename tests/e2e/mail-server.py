#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""mail-server.py FOLDER PORT CERT KEY USER PASSWORD-FILE [smtps]: a mail server that wants TLS and a login (python3-aiosmtpd).

Each message becomes FOLDER/PORT.N (N from 0): JSON {user, from, to, tls, subject, text}. A refused login is told in FOLDER/PORT.refused."""
import email
import email.policy
import json
import pathlib
import ssl
import sys
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

FOLDER, PORT, CERT, KEY, USER, PASSWORD_FILE = sys.argv[1:7]
PASSWORD = pathlib.Path(PASSWORD_FILE).read_text(encoding="ascii").strip()
IMPLICIT = sys.argv[7:] == ["smtps"]


class Keep:
    def __init__(self):
        self.count = 0

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        kept = {"user": session.auth_data.decode(), "from": envelope.mail_from, "to": envelope.rcpt_tos,
                "tls": server.transport.get_extra_info("cipher")[1], "subject": message["Subject"],
                "text": message.get_content()}
        path = pathlib.Path(FOLDER) / f"{PORT}.{self.count}"
        self.count += 1
        path.with_suffix(".tmp").write_text(json.dumps(kept), encoding="utf-8")
        path.with_suffix(".tmp").rename(path)
        return "250 taken"


def judge(server, session, envelope, mechanism, data):
    good = data.login == USER.encode() and data.password == PASSWORD.encode()
    if good:
        return AuthResult(success=True, auth_data=data.login)
    (pathlib.Path(FOLDER) / f"{PORT}.refused").write_text(data.login.decode(), encoding="utf-8")
    return AuthResult(success=False, handled=False)


class Server(Controller):
    def factory(self):
        # What comes by smtps has its TLS before SMTP begins.
        more = {"auth_require_tls": False} if IMPLICIT else {"tls_context": CONTEXT, "require_starttls": True}
        return SMTP(self.handler, auth_required=True, authenticator=judge, hostname="localhost", **more)


CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
CONTEXT.load_cert_chain(CERT, KEY)
Server(Keep(), hostname="127.0.0.1", port=int(PORT), ssl_context=CONTEXT if IMPLICIT else None).start()
threading.Event().wait()
