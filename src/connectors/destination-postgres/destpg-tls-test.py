#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""TLS and passwords, over TCP: the server was started with --tls."""
import os
import subprocess
from pathlib import Path

from kit_test import main
from pg_test import config, psql

TLS = Path(os.environ["SL_PG_TLS"])
CA, CERT, KEY = ((TLS / n).read_text() for n in ("ca.crt", "client.crt", "client.key"))


def tcp(host="localhost", **more):
    return config(host=host, **{"username": "writer", "password": "secret word", **more})


def mode(name, **more):
    return {"ssl_mode": {"mode": name, **more}}


def connects(c, conf):
    status = c.check(conf).ok().messages[0]["connectionStatus"]
    assert status["status"] == "SUCCEEDED", status


def test_modes(c):
    psql("create role writer login superuser password 'secret word'; create role certuser login superuser")
    for conf in (tcp(), tcp(ssl=False), tcp(ssl=True), tcp(**mode("disable")), tcp(**mode("allow")), tcp(**mode("prefer")),
                 tcp(**mode("require")), tcp(**mode("verify-ca", ca_certificate=CA)),
                 tcp(host="127.0.0.1", **mode("verify-ca", ca_certificate=CA)),
                 tcp(**mode("verify-full", ca_certificate=CA)),
                 tcp(**mode("verify-full", ca_certificate=CA.replace("\n", "\\n")))):
        connects(c, conf)


def test_encryption_is_what_was_asked_for(c):
    psql("create role watched login superuser password 'x'; create table seen (ssl boolean);"
         "create function note() returns event_trigger language plpgsql as $$ begin if tg_tag = 'CREATE TABLE' then "
         "insert into public.seen select ssl from pg_stat_ssl where pid = pg_backend_pid(); end if; end $$;"
         "create event trigger t on ddl_command_end execute function note()")
    for conf, expected in ((tcp(**mode("require")), "t"), (tcp(ssl=True), "t"), (tcp(**mode("disable")), "f"),
                           (tcp(ssl=False, **mode("prefer")), "f")):
        psql("delete from seen")
        connects(c, {**conf, "username": "watched", "password": "x"})
        assert psql("select distinct ssl from seen") == [[expected]], conf
    psql("drop event trigger t")


def test_wrong_password(c):
    text = c.check_fails(tcp(password="wrong"))
    assert "password authentication failed" in text and "check 'username' and 'password'" in text, text
    assert "wrong" not in text and "secret" not in text and "LOCATION" not in text, text


def test_wrong_certificates(c):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=other", "-days", "2",
                    "-keyout", c.file("k", ""), "-out", c.file("other.crt", "")], check=True, capture_output=True)
    other = (c.dir / "other.crt").read_text()
    for conf, part in ((tcp(**mode("verify-ca", ca_certificate=other)), "ssl_mode.ca_certificate"),
                       (tcp(host="127.0.0.1", **mode("verify-full", ca_certificate=CA)), "use the certificate's name"),
                       (tcp(**mode("verify-ca", ca_certificate="no PEM")), "'ssl_mode.ca_certificate' is not PEM")):
        text = c.check_fails(conf)
        assert part in text and "cannot connect" in text, text
        assert "PRIVATE KEY" not in text


def test_client_certificate(c):
    full = mode("verify-full", ca_certificate=CA, client_certificate=CERT, client_key=KEY)
    connects(c, tcp(username="certuser", password="", **full))
    locked = subprocess.run(["openssl", "rsa", "-aes256", "-passout", "pass:opens", "-in", str(TLS / "client.key")],
                            check=True, capture_output=True, text=True).stdout
    full["ssl_mode"] |= {"client_key": locked, "client_key_password": "opens"}
    connects(c, tcp(username="certuser", password="", **full))
    full["ssl_mode"] |= {"client_key_password": "shut"}
    assert "client_key_password" in c.check_fails(tcp(username="certuser", password="", **full))
    text = c.check_fails(tcp(username="certuser", password="", **mode("verify-full", ca_certificate=CA, client_key=KEY)))
    assert text.startswith("configuration.ssl_mode.client_certificate: missing"), text


main(globals())
