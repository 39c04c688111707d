#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""abuse-test.py BOOTLOADER SERVER MIGRATIONS DEFINITIONS OPENAPI, under with-postgres. TAP.

What a hostile or broken client sends, to the real server with a real database; and a database that goes away under load.
What a single connection may do is tested in src/http; here it is what comes through to operations and statements."""
import base64
import hmac
import json
import os
import pathlib
import resource
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from server import Server, ask_on, quote, until  # noqa: E402

NAMES = ("bootloader", "server", "migrations", "definitions", "openapi")
PROGRAMS = dict(zip(NAMES, sys.argv[1:]))
with open(PROGRAMS["openapi"], encoding="utf-8") as description:
    OPENAPI = json.load(description)
WORKSPACES = "/api/public/v1/workspaces"
MIB = 1 << 20
TESTS = []


def test(function):
    TESTS.append(function)
    return function


def equal(got, wanted, what=""):
    assert got == wanted, f"{what}: got {got!r}, wanted {wanted!r}"


def refused(answer, *statuses):
    """A problem that says so, and no word of the database."""
    assert answer.status in statuses, f"{answer.status} is not in {statuses}: {answer.body[:300]}"
    text = answer.body.decode("utf-8")
    json.loads(text)
    for word in ("syntax error", "SQLSTATE", "PQ", "relation \"", "invalid input syntax", "invalid byte sequence",
                 "violates", "out of range for type"):
        assert word not in text, f"'{word}' in: {text}"
    return text


def raw(server, data, seconds=60, local=False):
    """Sends bytes, returns what comes back up to the end."""
    sock = socket.socket(socket.AF_UNIX) if local else socket.socket()
    sock.settimeout(seconds)
    sock.connect(server.path if local else ("127.0.0.1", server.port))
    with sock:
        try:
            sock.sendall(data)
        except OSError:
            pass  # refused before it was all sent
        got = b""
        try:
            while chunk := sock.recv(65536):
                got += chunk
        except ConnectionResetError:
            pass
        return got


# --- bodies -------------------------------------------------------------------------------------------------------------------
def deep(depth):
    return '{"name":"x","organizationId":' + "[" * depth + "]" * depth + "}"


@test
def bodies_that_are_no_json(server):
    before = server.sql("select count(*) from workspace")
    bodies = {
        "deep": deep(100000), "deep, open": "[" * 500000, "objects": '{"a":' * 100000,
        "nothing": "", "half": '{"name":', "two": '{"name":"a"}{"name":"b"}', "comma": '{"name":"a",}',
        "single quotes": "{'name':'a'}", "NaN": '{"name":NaN}', "bare": "name", "null": "null", "array": "[]", "number": "1",
        "control": '{"name":"a\u0001"}', "huge number": '{"name":' + "9" * 100000 + "}",
        "lone surrogate": '{"name":"\\ud800"}', "NUL": '{"name":"a\\u0000b"}',
        "bytes": b'{"name":"\xff\xfe"}', "overlong": b'{"name":"\xc0\xaf"}', "surrogate": b'{"name":"\xed\xa0\x80"}',
        "cut": b'{"name":"\xe2\x82"}', "UTF-16": '{"name":"x"}'.encode("utf-16"), "BOM": b'\xef\xbb\xbf{"name":"x"}',
        "twice": '{"name":"a","name":"b"}', "twice, inside": '{"name":"a","notifications":{"x":1,"\\u0078":2}}',
    }
    config = next(path for path, methods in OPENAPI["paths"].items() if path.startswith("/api/v1/sources/") and "post" in methods)
    for name, body in bodies.items():
        for path in (WORKSPACES, config):
            answer = server.ask("POST", path, body)
            assert answer.status in (400, 413, 422), f"{name}, {path}: {answer.status} {answer.body[:200]}"
            refused(answer, 400, 413, 422)
    equal(server.sql("select count(*) from workspace"), before, "workspaces")


@test
def bodies_of_any_size(server):
    memory = server.resident()
    for size in (11 * MIB, 64 * MIB):
        assert raw(server, b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size,
                   local=True).startswith(b"HTTP/1.1 413 ")
    chunk = b"100000\r\n" + b"x" * MIB + b"\r\n"
    got = raw(server, b"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * 40, local=True)
    assert got.startswith(b"HTTP/1.1 413 "), got[:100]
    name = "n" * (9 * MIB)
    assert server.ask("POST", WORKSPACES, {"name": name}).status in (200, 400)
    server.sql("delete from workspace where length(name) > 1000")
    assert server.resident() - memory < 80 * MIB


# --- connections --------------------------------------------------------------------------------------------------------------
@test
def slow_clients(server):
    """Each drips as long as it is let; all of them at once, and others are answered meanwhile."""
    begins = [b"", b"G", b"GET / HTTP/1.1\r\nHost: ", b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\n{",
              b"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"] * 20
    clients = {}
    for begin in begins:
        sock = socket.create_connection(("127.0.0.1", server.port))
        sock.sendall(begin)
        sock.setblocking(False)
        clients[sock] = [begin, b""]
    end = time.monotonic() + 120
    while clients and time.monotonic() < end:
        readable, _, _ = select.select(list(clients), [], [], 1)
        for sock in readable:
            try:
                data = sock.recv(4096)
            except ConnectionResetError:
                data = b""
            clients[sock][1] += data
            if not data:
                begin, got = clients.pop(sock)
                assert got == b"" or got.startswith(b"HTTP/1.1 408 "), (begin, got[:80])
                sock.close()
        for sock, (begin, _) in list(clients.items()):
            try:
                sock.send(b"a" if begin else b"")
            except OSError:
                pass
        equal(server.ask("GET", "/api/v1/health").status, 200)
    equal(len(clients), 0, "clients that are still there")


@test
def ten_thousand_connections(server):
    """More than are allowed wait in the backlog or are turned away by the kernel; memory stays, and all is well afterwards."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 10000
    if hard < wanted + 100:
        return "RLIMIT_NOFILE is too low"
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    memory, descriptors = server.resident(), server.descriptors()
    socks = []
    for i in range(wanted):
        sock = socket.socket()
        sock.setblocking(False)
        sock.connect_ex(("127.0.0.1", server.port))
        socks.append(sock)
        if i % 100 == 0:
            time.sleep(0.01)
    time.sleep(2)
    for sock in socks[::2]:
        try:
            sock.send(b"GET /api/v1/health HTTP/1.1\r\nHost: x\r\n\r\n")
        except OSError:
            pass
    time.sleep(2)
    assert server.descriptors() < 800, server.descriptors()
    grown = server.resident() - memory
    assert grown < 32 * MIB, f"grown by {grown >> 20} MiB"
    for sock in socks:
        sock.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    until("it answers again", lambda: raw(server, b"GET /api/v1/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
          .startswith(b"HTTP/1.1 200"))
    try:
        until("connections are gone", lambda: server.descriptors() <= descriptors + 20, 90)
    except AssertionError as error:
        raise AssertionError(f"{error}: {server.descriptors()}, there were {descriptors}") from None
    return None


@test
def smuggled_requests(server):
    """What one reader takes for a body and another for a request is taken by nobody."""
    inner = b"DELETE /api/public/v1/workspaces/x HTTP/1.1\r\nHost: x\r\n\r\n"
    cases = [
        b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + inner,
        b"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + inner,
        b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd" + inner,
        b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: +4\r\n\r\nabcd" + inner,
        b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 0x4\r\n\r\nabcd" + inner,
        b"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\nabcd" + inner,
        b"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n" + inner,
        b"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + inner,
    ]
    for case in cases:
        got = raw(server, case, local=True)
        assert got.count(b"HTTP/1.1 ") <= 1 and not got.startswith(b"HTTP/1.1 2"), (case, got)


# --- ids and statements ------------------------------------------------------------------------------------------------------
SQL = ["'; drop table canary; --", "\" or \"\"=\"", "1); insert into canary values (2); --", "$1$$; select pg_sleep(60); --",
       "%' or '1'='1", "\\'; delete from canary; --"]
SEED = {}


def seed(server):
    """Something of each kind, whose ids make requests go deep."""
    workspace = server.ask("POST", WORKSPACES, {"name": "seed"}).json()["workspaceId"]
    kinds = dict(line.split("|") for line in server.sql(
        "select docker_repository, definition_id from actor_definition").splitlines())
    source_type = next(value for key, value in kinds.items() if "sample" in key)
    destination_type = next(value for key, value in kinds.items() if "dev-null" in key)
    server.sql(f"""
        insert into actor (actor_id, workspace_id, definition_id, actor_type, name, configuration, created_at, updated_at) values
        ('{uuid.UUID(int=2)}', '{workspace}', '{source_type}', 'source', 's', '{{}}', now(), now()),
        ('{uuid.UUID(int=3)}', '{workspace}', '{destination_type}', 'destination', 'd', '{{}}', now(), now());
        insert into connection (connection_id, workspace_id, name, source_id, destination_id, catalog, created_at, updated_at)
        values ('{uuid.UUID(int=4)}', '{workspace}', 'c', '{uuid.UUID(int=2)}', '{uuid.UUID(int=3)}', '{{"streams":[]}}', now(),
        now());
        create table if not exists canary (n int); truncate canary; insert into canary values (1)""")
    SEED.update({"workspaceId": workspace, "sourceId": str(uuid.UUID(int=2)), "destinationId": str(uuid.UUID(int=3)),
                 "actorId": str(uuid.UUID(int=2)), "connectionId": str(uuid.UUID(int=4)), "sourceDefinitionId": source_type,
                 "destinationDefinitionId": destination_type, "definitionId": source_type})


def resolve(schema):
    while "$ref" in schema:
        schema = OPENAPI["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def example(name, schema, depth=0):
    schema = resolve(schema)
    if name in SEED:
        return SEED[name]
    kind = schema.get("type")
    if "enum" in schema:
        return schema["enum"][0]
    if kind == "object" or "properties" in schema:
        required = schema.get("required", [])
        return {key: example(key, value, depth + 1) for key, value in schema.get("properties", {}).items()
                if key in required or (depth == 0 and key in SEED)}
    if kind == "array":
        return []
    if kind in ("integer", "number"):
        return max(1, schema.get("minimum", 1))
    if kind == "boolean":
        return False
    if schema.get("format") == "uuid":
        return str(uuid.UUID(int=9))
    if schema.get("format") == "date-time":
        return "2026-01-01T00:00:00Z"
    return "text"


def places(schema, path=(), depth=0):
    """Paths of every string in a body."""
    schema = resolve(schema)
    if depth > 4:
        return
    if "properties" in schema:
        for key, value in schema["properties"].items():
            yield from places(value, path + (key,), depth + 1)
    elif schema.get("type") == "array":
        yield from places(schema.get("items", {}), path + (0,), depth + 1)
    elif schema.get("type", "string") == "string":
        yield path


def put(body, path, value):
    """A copy of `body` with `value` at `path`; what is missing on the way is made."""
    if not path:
        return value
    key, rest = path[0], path[1:]
    if key == 0:
        return [put(body[0] if isinstance(body, list) and body else {}, rest, value)]
    body = dict(body) if isinstance(body, dict) else {}
    body[key] = put(body.get(key, {}), rest, value)
    return body


def requests_of(path, method, operation):
    """(path, body) with `HERE` once in each."""
    parameters = operation.get("parameters", [])
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    schema = content.get("schema")
    body = example("", schema) if schema else None

    def fill(chosen):
        url, query = path, []
        for parameter in parameters:
            name = parameter["name"]
            value = "HERE" if name == chosen else quote(str(example(name, parameter["schema"])))
            if parameter["in"] == "path":
                url = url.replace("{%s}" % name, value)
            elif name == chosen or parameter.get("required"):
                query.append(f"{name}={value}")
        return url + ("?" + "&".join(query) if query else "")

    for parameter in parameters:
        yield fill(parameter["name"]), body, None
    for place in places(schema) if schema else ():
        yield fill(None), body, place


@test
def sql_in_every_string(server):
    """Of every operation of the description; in what is stored it is text, anywhere else a refusal."""
    seed(server)
    asked, slow, statuses = 0, set(), {}
    tables = server.sql("select count(*) from pg_tables where schemaname = 'public'")
    for path, methods in OPENAPI["paths"].items():
        for method, operation in methods.items():
            name = operation["operationId"]
            for number, (url, body, place) in enumerate(requests_of(path, method, operation)):
                if name in slow:
                    break
                payload = SQL[number % len(SQL)]
                if place is not None:
                    body = put(body, place, payload)
                try:
                    answer = server.ask(method.upper(), url.replace("HERE", quote(payload)), body, timeout=3)
                except TimeoutError:
                    slow.add(name)  # it waits for a job, and nobody works here
                    continue
                asked += 1
                statuses[answer.status] = statuses.get(answer.status, 0) + 1
                assert answer.status < 500 or answer.status in (501, 504), f"{name} {place}: {answer.status} {answer.body[:300]}"
                if answer.status >= 400:
                    refused(answer, answer.status)
    equal(server.sql("select n from canary"), "1", "the canary")
    equal(server.sql("select count(*) from pg_tables where schemaname = 'public'"), tables, "tables")
    print(f"# {asked} requests of {sum(map(len, OPENAPI['paths'].values()))} operations: {statuses}; waiting: {sorted(slow)}")
    assert asked > 200 and len(slow) < 12, (asked, slow)


@test
def text_is_kept(server):
    """What goes in comes out, byte by byte."""
    for text in SQL + ["\u00e4\u20ac\U0001f600", "a\nb\tc", "</script>", "\\u0000", "${jndi:ldap://x}", "\u202e"]:
        made = server.ask("POST", WORKSPACES, {"name": text})
        equal(made.status, 200, text)
        equal(server.ask("GET", f"{WORKSPACES}/{made.json()['workspaceId']}").json()["name"], text)


@test
def forged_ids(server):
    if not SEED:
        seed(server)
    bad = ["x", "0", "-1", "../../etc/passwd", "00000000-0000-0000-0000-00000000000g", "%00", "a" * 5000, "null", "{}", "*",
           "00000000000000000000000000000001", str(uuid.uuid4()), "9223372036854775808", "1e3", " 1", "\u0661"]
    for path in ("/api/public/v1/sources/%s", "/api/public/v1/connections/%s", f"{WORKSPACES}/%s", "/api/public/v1/jobs/%s",
                 "/api/v1/sluice/jobs/%s/attempts", "/api/v1/sluice/jobs/1/attempts/%s/log", "/api/public/v1/sources?workspaceIds=%s",
                 "/api/v1/sluice/jobs/%s/attempts/0/log/raw"):
        for value in bad:
            for method in ("GET", "DELETE", "PATCH"):
                answer = server.ask(method, path % quote(value) if "%00" not in value else path % value,
                                    {} if method == "PATCH" else None)
                if answer.status in (200, 204):  # "1" may be there
                    continue
                refused(answer, 400, 403, 404, 405)
    for header in ("Bearer", "Bearer ", "Bearer x", "Bearer a.b.c", "Basic x", "bearer " + "a" * 9000, "Bearer \x7f"):
        refused(server.ask("GET", WORKSPACES, headers={"Authorization": header}), 401)


# --- callers ------------------------------------------------------------------------------------------------------------------
PASSWORD = "correct horse battery staple"


def token_of(server, name, permission=None, workspace=None):
    """A person with at most one role, as an application's token: headers."""
    made = server.ask("POST", "/api/v1/sluice/users", {"email": f"{name}@example.org", "name": name}).json()
    setup = {"token": made["url"].split("token=")[1], "password": PASSWORD}
    equal(server.ask("POST", "/api/v1/sluice/setup", setup).status, 200, "setup")
    if permission:
        body = {"permissionType": permission, "userId": made["userId"], "workspaceId": workspace}
        equal(server.ask("POST", "/api/public/v1/permissions", body).status, 200, "permission")
    basic = {"Authorization": "Basic " + base64.b64encode(f"{name}@example.org:{PASSWORD}".encode()).decode()}
    application = server.ask("POST", "/api/public/v1/applications", {"name": name}, headers=basic).json()
    body = {"client_id": application["clientId"], "client_secret": application["clientSecret"]}
    return {"Authorization": "Bearer " + server.ask("POST", "/api/public/v1/applications/token", body).json()["access_token"]}


def state_of(server):
    """What a refused request must leave as it is."""
    return server.sql("select md5(string_agg(t::text, '' order by t::text)) from ("
                      "select actor_id::text || name || configuration || tombstone::text as t from actor union all "
                      "select connection_id::text || name || status || catalog from connection union all "
                      "select workspace_id::text || name || notifications::text || tombstone::text from workspace union all "
                      "select permission_id::text || permission_type from permission) x")


# Places of an installation: who has no role there finds nothing. Definitions are everybody's.
PLACES = {"workspaceId", "sourceId", "destinationId", "actorId", "connectionId"}
# What somebody may do somewhere: everybody may ask that about himself.
OWN = {"config_permission_check", "config_permission_check_multiple"}


def foreign_requests():
    """(operation, method, url, body) of every operation that takes an id of a place."""
    for path, methods in OPENAPI["paths"].items():
        for method, operation in methods.items():
            parameters = operation.get("parameters", [])
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            body = example("", content["schema"]) if content else None
            named = PLACES & ({row["name"] for row in parameters} | set(body if isinstance(body, dict) else ()))
            if not named or operation["operationId"] in OWN:
                continue
            url, query = path, []
            for row in parameters:
                value = quote(str(example(row["name"], row["schema"])))
                url = url.replace("{%s}" % row["name"], value)
                if row["in"] == "query" and (row.get("required") or row["name"] in SEED):
                    query.append(f"{row['name']}={value}")
            yield operation["operationId"], method.upper(), url + ("?" + "&".join(query) if query else ""), body


@test
def ids_of_another_workspace(server):
    """An administrator of one workspace, and somebody without any role, ask for everything of another one."""
    if not SEED:
        seed(server)
    own = server.ask("POST", WORKSPACES, {"name": "own"}).json()["workspaceId"]
    before, asked = None, 0
    for caller, role in (("stranger", None), ("neighbour", "workspace_admin")):
        headers = token_of(server, caller, role, own)
        before = state_of(server)
        if role:
            equal(server.ask("GET", f"{WORKSPACES}/{own}", headers=headers).status, 200, "the own workspace")
        for name, method, url, body in foreign_requests():
            answer = server.ask(method, url, body, headers)
            asked += 1
            if name.endswith("_search") and answer.status == 200:
                equal([value for value in answer.json().values() if value], [], f"{caller}, {name}")
                continue
            assert answer.status in (400, 403, 404, 422, 501), f"{caller}, {name}: {answer.status} {answer.body[:300]}"
            refused(answer, answer.status)
            for word in ("seed", '"c"'):
                assert word not in answer.body.decode(), f"{caller}, {name} tells of it: {answer.body[:300]}"
        equal(state_of(server), before, "what there is")
    print(f"# {asked} requests")
    assert asked > 200, asked


@test
def a_role_that_is_too_low(server):
    """A reader changes nothing, whatever the operation; src/server/auth has every role and every operation."""
    if not SEED:
        seed(server)
    headers = token_of(server, "reader", "workspace_reader", SEED["workspaceId"])
    before, statuses = state_of(server), {}
    for name, method, url, body in foreign_requests():
        try:
            answer = server.ask(method, url, body, headers, timeout=3)
        except TimeoutError:
            continue  # it waits for a job: discover is for readers too
        statuses[answer.status] = statuses.get(answer.status, 0) + 1
        assert answer.status < 500 or answer.status in (501, 504), f"{name}: {answer.status} {answer.body[:300]}"
    equal(state_of(server), before, "what there is")
    equal(server.sql("select count(*) from job where config_type in ('sync', 'reset_connection', 'clear', 'refresh')"), "0", "runs")
    print(f"# {statuses}")
    assert statuses.get(403, 0) > 40 and statuses.get(200, 0) > 20, statuses


@test
def forged_and_expired_tokens(server):
    headers = token_of(server, "forger")
    good = headers["Authorization"].split(" ")[1]
    equal(server.ask("GET", WORKSPACES, headers=headers).status, 200, "the token itself")
    head, claims, signature = good.split(".")

    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode().rstrip("=")

    payload = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    forever = part({**payload, "exp": payload["exp"] + 10**9})
    admin = part({**payload, "sub": str(uuid.UUID(int=0))})
    forged = [f"{part({'alg': alg, 'typ': 'JWT'})}.{body}.{end}" for alg in ("none", "None", "NONE", "nOnE", "", "HS256", "HS512", "RS256")
              for body in (forever, admin) for end in ("", signature)]
    for key in (b"", b"secret", b"\0" * 32, claims.encode()):
        signed = base64.urlsafe_b64encode(hmac.digest(key, f"{head}.{admin}".encode(), "sha256")).decode().rstrip("=")
        forged.append(f"{head}.{admin}.{signed}")
    forged += [f"{head}.{claims}.", f"{head}.{claims}", f"{head}.{claims}.{signature[:-2]}", f"{head}.{claims}.{signature}A", good + ".x",
               f".{claims}.{signature}", f"{head}..{signature}", good[::-1]]
    for token in forged:
        refused(server.ask("GET", WORKSPACES, headers={"Authorization": "Bearer " + token}), 401)
    # a cookie is the same token by another way, and an application's is none
    for token in forged[:8] + [good]:
        refused(server.ask("GET", WORKSPACES, headers={"Cookie": "JWT=" + token}), 401)
    # what it was made for is gone
    server.sql("update account set status = 'disabled' where name = 'forger'")
    refused(server.ask("GET", WORKSPACES, headers=headers), 401)


@test
def huge_headers(server):
    """Refused while they come, however they are cut; and nothing of them stays."""
    memory = server.resident()
    line = b"GET /api/v1/health HTTP/1.1\r\nHost: x\r\n"
    for head in (line + b"X-Long: " + b"a" * (1 << 20) + b"\r\n\r\n",
                 line + b"".join(b"X-%d: %s\r\n" % (i, b"v" * 20) for i in range(20000)) + b"\r\n",
                 line + b"Cookie: " + b"JWT=x; " * 20000 + b"\r\n\r\n",
                 b"GET /" + b"a" * (1 << 20) + b" HTTP/1.1\r\nHost: x\r\n\r\n",
                 line + b"X-Folded: a\r\n" + b" b\r\n" * 20000 + b"\r\n"):
        for local in (True, False):
            got = raw(server, head, local=local)
            assert got == b"" or got[9:12] in (b"431", b"414", b"400"), (head[:60], got[:100])
    for _ in range(200):
        raw(server, line + b"X-Long: " + b"a" * 100000 + b"\r\n\r\n", local=True)
    grown = server.resident() - memory
    assert grown < 16 * MIB, f"grown by {grown >> 20} MiB"
    equal(server.ask("GET", "/api/v1/health").status, 200)


# --- the database goes away ---------------------------------------------------------------------------------------------------
class Database:
    """The server of with-postgres, to be stopped and started."""

    def __init__(self):
        self.pid = int(os.environ["SL_PG_PID"])
        with open(f"/proc/{self.pid}/cmdline", "rb") as file:
            self.argv = file.read().rstrip(b"\0").split(b"\0")
        self.uid = os.stat(f"/proc/{self.pid}").st_uid
        self.process = None

    def stop(self, sign):
        os.kill(self.process.pid if self.process else self.pid, sign)
        if self.process:
            self.process.wait()
        until("PostgreSQL ends", self.is_gone)

    def is_gone(self):
        return subprocess.run(["pg_isready", "-q"], check=False).returncode == 2

    def start(self):
        drop = ["setpriv", f"--reuid={self.uid}", "--clear-groups"] if os.geteuid() == 0 else ["env"]
        self.process = subprocess.Popen(["setpriv", "--pdeathsig", "QUIT", *drop, *self.argv], cwd="/",
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until("PostgreSQL is back", lambda: subprocess.run(["pg_isready", "-q"], check=False).returncode == 0)

    def close(self):
        if self.process:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait()


class Writer(threading.Thread):
    """Writes without a pause, and keeps what it was told."""

    def __init__(self, server, name, done):
        super().__init__()
        self.server, self.prefix, self.done = server, name, done
        self.told, self.refusals, self.odd = [], 0, []

    def run(self):
        number = 0
        connection = self.server.connection()
        while not self.done.is_set():
            number += 1
            name = f"{self.prefix}-{number}"
            try:
                answer = ask_on(connection, "POST", WORKSPACES, {"name": name})
            except OSError as error:
                self.odd.append(repr(error))
                connection.close()
                continue
            if answer.status == 200:
                self.told.append((answer.json()["workspaceId"], name))
            elif answer.status == 503 and answer.headers["Retry-After"]:
                self.refusals += 1
                time.sleep(0.02)
            else:
                self.odd.append((answer.status, answer.body[:200]))
        connection.close()


@test
def the_database_restarts_under_load(server):
    server.sql(f"alter database {server.database} set synchronous_commit = on")
    database, done = Database(), threading.Event()
    server.stop()  # connections with the new setting
    server.start()
    writers = [Writer(server, f"load{i}", done) for i in range(8)]
    for writer in writers:
        writer.start()
    try:
        for sign in (signal.SIGINT, signal.SIGQUIT):  # orderly, and as in a crash
            told = sum(len(writer.told) for writer in writers)
            until("writes go through", lambda told=told: sum(len(writer.told) for writer in writers) > told + 100)
            before = sum(writer.refusals for writer in writers)
            database.stop(sign)
            until("writes are refused", lambda before=before: sum(writer.refusals for writer in writers) > before + 20)
            equal(server.ask("GET", WORKSPACES).status, 503)
            equal(server.ask("GET", "/api/v1/health").json(), {"available": False})
            database.start()
        told = sum(len(writer.told) for writer in writers)
        until("it recovers by itself", lambda: sum(len(writer.told) for writer in writers) > told + 100)
    finally:
        done.set()
        for writer in writers:
            writer.join()
    stored = set(tuple(line.split("|")) for line in server.sql("select workspace_id, name from workspace").splitlines())
    try:
        told = {pair for writer in writers for pair in writer.told}
        equal(told - stored, set(), "answered with success, and lost")
        odd = [one for writer in writers for one in writer.odd]
        equal(odd, [], "other answers")
        print(f"# {len(told)} writes kept, {sum(writer.refusals for writer in writers)} refused")
    finally:
        server.stop()
        database.close()


def main():
    if os.environ.get("ONLY"):
        TESTS[:] = [function for function in TESTS if function.__name__ in os.environ["ONLY"].split(",")]
    print(f"1..{len(TESTS)}")
    failed = 0
    server = Server(PROGRAMS)
    try:
        for number, function in enumerate(TESTS, 1):
            name = function.__name__.replace("_", " ")
            try:
                reason = function(server)
                assert server.process.poll() is None or "restarts" in name, "the server ended"
                print(f"ok {number} - {name}" + (f" # SKIP {reason}" if reason else ""), flush=True)
            except Exception as error:  # pylint: disable=broad-except
                failed += 1
                print(f"not ok {number} - {name}\n# {type(error).__name__}: " + str(error).replace("\n", "\n# "), flush=True)
        critical = [line for line in server.log().splitlines() if "CRITICAL" in line]
        for line in critical:
            print("# " + line)
        failed += len(critical)
    finally:
        server.close()
    return 1 if failed else 0


sys.exit(main())
