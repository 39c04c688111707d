#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The real program against the real server that with-postgres started."""
import json
import os
import subprocess

from kit_test import catalog, main, record, state, status, stream


def config(**more):
    return {"host": os.environ["PGHOST"], "port": int(os.environ["PGPORT"]), "database": "postgres",
            "schema": "public", "username": "postgres", **more}


def psql(sql):
    """Rows of a query: lists of texts, None for NULL."""
    done = subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-F", "\x1f", "-P", "null=\x1e", "-c", sql],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [[None if v == "\x1e" else v for v in line.split("\x1f")]
            for line in done.stdout.split("\n")[:-1]]


def test_check(c):
    assert c.check(config()).ok().messages[0]["connectionStatus"]["status"] == "SUCCEEDED"
    assert psql("select count(*) from pg_class where relname like '%connection_test%'") == [["0"]]
    message = c.check_fails(config(tunnel_method={
        "tunnel_method": "SSH_PASSWORD_AUTH", "tunnel_host": "h", "tunnel_port": 22, "tunnel_user": "u",
        "tunnel_user_password": "p"}))
    assert message.startswith("configuration.tunnel_method: SSH tunnels"), message


USERS = {"type": "object", "properties": {"id": {"type": "integer"}, "name": {"type": "string"}}}


def test_append(c):
    streams = catalog(stream("append", schema=USERS, generation_id=0, minimum_generation_id=0, sync_id=1))
    for n in (1, 2):
        result = c.write(config(), streams, [record("append", {"id": n, "name": "x"}), state("append", {"n": n}),
                                             status("append", "COMPLETE")]).ok()
        assert result.states()[0]["stream"]["stream_state"] == {"n": n}
    assert psql("select id, name, _airbyte_generation_id, _airbyte_meta from append order by id") == [
        ["1", "x", "0", '{"changes": [], "sync_id": 1}'], ["2", "x", "0", '{"changes": [], "sync_id": 1}']]


main(globals())
