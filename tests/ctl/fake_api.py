# SPDX-License-Identifier: Apache-2.0
"""The API as sluicectl sees it, in memory, on a unix socket. The shapes are those of data/api."""
import json
import re
import socketserver
import threading
import uuid
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

WORKSPACE = "11111111-0000-4000-8000-000000000000"
CATALOG = "eeeeeeee-0000-4000-8000-000000000000"
PAGE_CREATED = 1785585600  # 2026-08-01T12:00:00Z

SPEC = {
    "connectionSpecification": {
        "type": "object",
        "required": ["count", "password"],
        "properties": {
            "count": {"type": "integer", "title": "Count", "default": 1000},
            "ratio": {"type": "number"},
            "always_updated": {"type": "boolean", "description": "Everything, every time."},
            "label": {"type": "string"},
            "password": {"type": "string", "airbyte_secret": True},
            "tables": {"type": "array", "items": {"type": "string"}},
            "tunnel": {
                "type": "object",
                "oneOf": [
                    {"properties": {"method": {"type": "string", "const": "NONE"}}},
                    {"properties": {"method": {"type": "string", "const": "SSH"}, "port": {"type": "integer"}}},
                ],
            },
        },
    },
}


def connector(number, kind, name, title):
    return {"definitionId": f"dddddddd-0000-4000-8000-00000000000{number}", "name": title, "actorType": kind,
            "runtime": "native", "command": [name], "dockerRepository": f"sluice/{name}", "dockerImageTag": "0.1.0",
            "custom": False}


class Problem(Exception):
    def __init__(self, status, detail):
        super().__init__(detail)
        self.body = {"status": status, "title": "a title", "type": "error", "detail": detail}
        self.status = status


class State:
    def __init__(self):
        self.states = {}  # connection id → connectionState
        self.requests = []
        self.registry = []
        self.connectors = [connector(1, "source", "source-sample", "Sample data"),
                           connector(2, "destination", "destination-postgres", "Postgres"),
                           connector(3, "destination", "destination-dev-null", "Nothing")]
        self.sources, self.destinations, self.connections, self.jobs = [], [], [], []
        self.check = {"jobId": 1, "status": "succeeded"}
        self.job_steps = []  # what GET …/attempts answers, poll after poll; the last one stays
        self.logs = {}
        self.forbidden = False
        self.discovered = {"jobInfo": {}, "catalogId": CATALOG, "catalogDiff": {"transforms": []}, "breakingChange": False}
        self.propagated = {"transforms": []}
        self.next_runs = {}  # connection id → times
        self.history, self.days, self.last_jobs = [], [], []
        self.notifications = {}
        self.tried = {}  # webhook, or "mail" → why it fails; missing: it arrives
        self.policies, self.actions = {}, {}

    def add_actor(self, kind, number, name):
        actor = {f"{kind}Id": f"{'a' if kind == 'source' else 'b'}aaaaaa{number}-0000-4000-8000-000000000000",
                 "name": name, f"{kind}Type": "sample", "workspaceId": WORKSPACE, "configuration": {"count": 5},
                 "definitionId": f"dddddddd-0000-4000-8000-00000000000{1 if kind == 'source' else 2}",
                 "createdAt": PAGE_CREATED}
        (self.sources if kind == "source" else self.destinations).append(actor)
        return actor

    def add_connection(self, number, name, source, destination, status="active", schedule=None):
        self.connections.append({
            "connectionId": f"ccccccc{number}-0000-4000-8000-000000000000", "name": name,
            "sourceId": source["sourceId"], "destinationId": destination["destinationId"], "workspaceId": WORKSPACE,
            "status": status, "schedule": schedule or {"scheduleType": "manual"}, "createdAt": PAGE_CREATED,
            "configurations": {"streams": [{"name": "users"}, {"name": "orders"}]}, "tags": []})
        return self.connections[-1]

    def add_job(self, number, connection, status, **more):
        self.jobs.append({"jobId": number, "status": status, "jobType": "sync", "startTime": "2026-08-01T12:00:00Z",
                          "connectionId": connection["connectionId"], **more})


STREAMS = [
    {"streamName": "users", "streamnamespace": "public", "defaultCursorField": ["updated_at"],
     "sourceDefinedCursorField": True, "sourceDefinedPrimaryKey": [["id"]],
     "syncModes": ["full_refresh_overwrite", "full_refresh_append", "incremental_append", "incremental_deduped_history"]},
    {"streamName": "orders", "streamnamespace": "public",
     "syncModes": ["full_refresh_overwrite", "full_refresh_append"]},
    {"streamName": "audit", "streamnamespace": "internal", "syncModes": ["full_refresh_overwrite"]},
]


def page(rows, query):
    limit, offset = int(query.get("limit", ["20"])[0]), int(query.get("offset", ["0"])[0])
    if not 1 <= limit <= 100:
        raise Problem(400, "limit is from 1 to 100")
    return {"data": rows[offset:offset + limit], "next": "", "previous": ""}


def find(rows, key, value, what):
    for row in rows:
        if str(row[key]) == value:
            return row
    raise Problem(404, f"{what} {value} is not known")


def list_jobs(state, query):
    rows = [j for j in state.jobs if query.get("status", [j["status"]])[0] == j["status"]
            and query.get("connectionId", [j["connectionId"]])[0] == j["connectionId"]]
    return page(sorted(rows, key=lambda j: -j["jobId"]), query)


def attempts(state, job_id):
    job = find(state.jobs, "jobId", job_id, "job")
    head = {"jobId": int(job_id), "configType": job["jobType"], "scope": job["connectionId"]}
    if state.job_steps:
        return {**head, **(state.job_steps[0] if len(state.job_steps) == 1 else state.job_steps.pop(0))}
    return {**head, "status": job["status"], "createdAt": job["startTime"],
            "finishedAt": job.get("lastUpdatedAt"), "failure": job.get("failure"),
            "attempts": job.get("attempts", [{"attemptNumber": 0, "status": job["status"]}])}


def read_log(state, job_id, attempt, query):
    log = state.logs.get((int(job_id), int(attempt)), "").encode()
    limit = int(query.get("limit", ["262144"])[0])
    offset = int(query.get("offset", ["0"])[0])
    if "tail" in query:
        offset = max(0, len(log) - int(query["tail"][0]))
        if offset:
            offset = log.index(b"\n", offset - 1) + 1
    piece = log[offset:offset + limit]
    piece = piece[:piece.rfind(b"\n") + 1]
    return {"offset": offset, "nextOffset": offset + len(piece), "size": len(log), "ended": True,
            "text": piece.decode()}


def create_actor(state, kind, body):
    if body["name"] == "refused":
        raise Problem(422, "$.count: expected integer")
    actor = state.add_actor(kind, len(state.sources) + len(state.destinations), body["name"])
    actor["configuration"] = body["configuration"]
    return actor


def create_connection(state, body):
    return state.add_connection(len(state.connections) + 1, body["name"], {"sourceId": body["sourceId"]},
                                {"destinationId": body["destinationId"]})


def create_job(state, body):
    if any(j["connectionId"] == body["connectionId"] and j["status"] == "running" for j in state.jobs):
        raise Problem(409, f"A sync is already running for: {body['connectionId']}")
    state.add_job(len(state.jobs) + 1, {"connectionId": body["connectionId"]}, "running")
    state.jobs[-1]["jobType"] = body.get("jobType", "sync")
    return state.jobs[-1]


def cancel_job(state, job_id):
    job = find(state.jobs, "jobId", job_id, "job")
    job["status"] = "cancelled"
    job["lastUpdatedAt"] = "2026-08-01T12:00:10Z"
    return job


def patch_connection(state, key, body):
    row = find(state.connections, "connectionId", key, "connection")
    row.update(body)
    return row


def remove(rows, key, value, what):
    rows.remove(find(rows, key, value, what))


def register(state, body):
    for row in state.connectors:
        if row["definitionId"] == body.get("definitionId"):
            row.update(body)
            return row
    row = {"definitionId": str(uuid.UUID(int=len(state.connectors) + 1)), "custom": True, **body}
    state.connectors.append(row)
    return row


def pin(state, key, body):
    row = find(state.connectors, "definitionId", key, "connector")
    if not row.get("custom"):
        raise Problem(409, f"connector '{row['name']}' comes with Sluice and changes with its package")
    row["pinned"] = body["pinned"]
    return row


def list_registry(state, query):
    words = query.get("search", [""])[0].lower().split()
    rows = [r for r in state.registry if all(w in f"{r['name']} {r['dockerRepository']}".lower() for w in words)]
    if "outdated" in query:
        rows = [r for r in rows if r["outdated"]]
    if "actorType" in query:
        rows = [r for r in rows if r["actorType"] == query["actorType"][0]]
    first = int(query["offset"][0])
    answer = {"data": rows[first:first + int(query["limit"][0])], "total": len(rows)}
    return {**answer, "source": "/etc/sluice/registry.json"} if state.registry else answer


def state_rows(stored):
    if stored["stateType"] == "global":
        return stored["globalState"]["streamStates"]
    return stored.setdefault("streamState", []) if stored["stateType"] == "stream" else []


def save_state(state, body):
    """As the server: stream by stream, null forgets, another type needs an empty place."""
    key, new = body["connectionId"], body["connectionState"]
    if any(j["connectionId"] == key and j["status"] in ("pending", "running", "incomplete") for j in state.jobs):
        raise Problem(423, f"a job of connection '{key}' has not ended")
    old = state.states.get(key, {"stateType": "not_set", "connectionId": key})
    if old["stateType"] not in ("not_set", new["stateType"]):
        raise Problem(409, "the state is of another type: clear the connection first")
    rows = {json.dumps(r["streamDescriptor"]): r for r in state_rows(old) + state_rows(new)}
    rows = [r for r in rows.values() if r.get("streamState") is not None]
    stored = {"stateType": new["stateType"], "connectionId": key}
    if new["stateType"] == "global":
        stored["globalState"] = {"shared_state": new["globalState"].get("shared_state"), "streamStates": rows}
    elif new["stateType"] == "legacy":
        stored["state"] = new["state"]
    else:
        stored["streamState"] = rows
    empty = not rows and stored.get("state") is None and not stored.get("globalState", {}).get("shared_state")
    state.states[key] = {"stateType": "not_set", "connectionId": key} if empty else stored
    return state.states[key]


def update_connection(state, body):
    row = find(state.connections, "connectionId", body["connectionId"], "connection")
    state.discovered["catalogDiff"] = {"transforms": []}
    return {"connectionId": row["connectionId"], "status": row["status"]}


def next_runs(state, key, query):
    find(state.connections, "connectionId", key, "connection")
    return {"connectionId": key, "nextRuns": state.next_runs.get(key, [])[:int(query["count"][0])]}


def try_receiver(state, key):
    why = state.tried.get(key)
    return {"status": "failed", "message": why} if why else {"status": "succeeded"}


def policy(state, key, changes=None):
    own = state.policies.setdefault(key, {})
    for name, value in (changes or {}).items():
        if name not in HOST:
            raise Problem(400, f"properties.{name}: no property of a connection")
        if value is None:
            own.pop(name, None)
        else:
            own[name] = value
    return {"connectionId": key, "properties": own, "host": HOST}


HOST = {"CatchUp": "yes", "RetryCompleteTotal": "10"}


def action(state, key, changes=None):
    own = state.actions.setdefault(key, {"onSyncSuccess": "", "onSyncFailure": ""})
    own.update(changes or {})
    return {"connectionId": key, **own}


# (method, path, function of (state, groups, query, body))
ROUTES = [(m, re.compile(p + "$"), f) for m, p, f in [
    ("POST", "/api/v1/sluice/setup/link", lambda s, g, q, b: {
        "userId": WORKSPACE, "url": "http://localhost:8000/setup#token=abc", "expiresAt": "2026-08-02T12:00:00Z"}),
    ("GET", "/api/public/v1/health", lambda s, g, q, b: "Successful operation"),
    ("GET", "/api/public/v1/workspaces",
     lambda s, g, q, b: page([{"workspaceId": WORKSPACE, "name": "Default workspace"}], q)),
    ("GET", "/api/public/v1/sources", lambda s, g, q, b: page(s.sources, q)),
    ("POST", "/api/public/v1/sources", lambda s, g, q, b: create_actor(s, "source", b)),
    ("DELETE", "/api/public/v1/sources/([^/]+)", lambda s, g, q, b: remove(s.sources, "sourceId", g[0], "source")),
    ("GET", "/api/public/v1/destinations", lambda s, g, q, b: page(s.destinations, q)),
    ("POST", "/api/public/v1/destinations", lambda s, g, q, b: create_actor(s, "destination", b)),
    ("POST", "/api/v1/sluice/(?:sources|destinations)/([^/]+)/check", lambda s, g, q, b: s.check),
    ("GET", "/api/public/v1/streams", lambda s, g, q, b: STREAMS),
    ("GET", "/api/public/v1/connections", lambda s, g, q, b: page(s.connections, q)),
    ("POST", "/api/public/v1/connections", lambda s, g, q, b: create_connection(s, b)),
    ("PATCH", "/api/public/v1/connections/([^/]+)", lambda s, g, q, b: patch_connection(s, g[0], b)),
    ("DELETE", "/api/public/v1/connections/([^/]+)",
     lambda s, g, q, b: remove(s.connections, "connectionId", g[0], "connection")),
    ("POST", "/api/v1/state/get", lambda s, g, q, b: s.states.get(
        b["connectionId"], {"stateType": "not_set", "connectionId": b["connectionId"]})),
    ("POST", "/api/v1/state/create_or_update_safe", lambda s, g, q, b: save_state(s, b)),
    ("GET", "/api/public/v1/jobs", lambda s, g, q, b: list_jobs(s, q)),
    ("POST", "/api/public/v1/jobs", lambda s, g, q, b: create_job(s, b)),
    ("DELETE", "/api/public/v1/jobs/([^/]+)", lambda s, g, q, b: cancel_job(s, g[0])),
    ("GET", "/api/v1/sluice/jobs/([^/]+)/attempts", lambda s, g, q, b: attempts(s, g[0])),
    ("GET", "/api/v1/sluice/jobs/([^/]+)/attempts/([^/]+)/log", lambda s, g, q, b: read_log(s, g[0], g[1], q)),
    ("GET", "/api/v1/sluice/definitions",
     lambda s, g, q, b: {"data": [c for c in s.connectors if c["actorType"] == q["actorType"][0]]}),
    ("POST", "/api/v1/sluice/definitions", lambda s, g, q, b: register(s, b)),
    ("GET", "/api/v1/sluice/definitions/([^/]+)",
     lambda s, g, q, b: {**find(s.connectors, "definitionId", g[0], "connector"), "spec": SPEC}),
    ("POST", "/api/v1/sluice/definitions/([^/]+)/pin", lambda s, g, q, b: pin(s, g[0], b)),
    ("DELETE", "/api/v1/sluice/definitions/([^/]+)",
     lambda s, g, q, b: remove(s.connectors, "definitionId", g[0], "connector")),
    ("GET", "/api/v1/sluice/registry/([^/]+)", lambda s, g, q, b: find(s.registry, "definitionId", g[0], "connector")),
    ("GET", "/api/v1/sluice/registry", lambda s, g, q, b: list_registry(s, q)),
    ("POST", "/api/v1/sources/discover_schema", lambda s, g, q, b: s.discovered),
    ("POST", "/api/v1/connections/apply_schema_changes", lambda s, g, q, b: {"propagatedDiff": s.propagated}),
    ("POST", "/api/v1/connections/get", lambda s, g, q, b: {
        "connectionId": b["connectionId"], "nonBreakingChangesPreference": "ignore", "backfillPreference": "disabled"}),
    ("POST", "/api/v1/connections/update", lambda s, g, q, b: update_connection(s, b)),
    ("GET", "/api/v1/sluice/connections/([^/]+)/next-runs", lambda s, g, q, b: next_runs(s, g[0], q)),
    ("POST", "/api/v1/jobs/list", lambda s, g, q, b: {"jobs": s.history, "totalJobCount": len(s.history)}),
    ("POST", "/api/v1/connections/stream_history", lambda s, g, q, b: s.days),
    ("POST", "/api/v1/connections/last_job_per_stream", lambda s, g, q, b: s.last_jobs),
    ("GET", "/api/public/v1/workspaces/([^/]+)", lambda s, g, q, b: {
        "workspaceId": g[0], "name": "Default workspace", "notifications": s.notifications}),
    ("PATCH", "/api/public/v1/workspaces/([^/]+)", lambda s, g, q, b: s.notifications.update(b["notifications"]) or {}),
    ("POST", "/api/v1/notifications/try_webhook", lambda s, g, q, b: try_receiver(s, b["slackConfiguration"]["webhook"])),
    ("POST", "/api/v1/notifications/try", lambda s, g, q, b: try_receiver(s, "mail")),
    ("GET", "/api/v1/sluice/connections/([^/]+)/policy", lambda s, g, q, b: policy(s, g[0])),
    ("PATCH", "/api/v1/sluice/connections/([^/]+)/policy", lambda s, g, q, b: policy(s, g[0], b["properties"])),
    ("GET", "/api/v1/sluice/connections/([^/]+)/actions", lambda s, g, q, b: action(s, g[0])),
    ("PATCH", "/api/v1/sluice/connections/([^/]+)/actions", lambda s, g, q, b: action(s, g[0], b)),
    ("GET", "/api/v1/sluice/status",
     lambda s, g, q, b: {"version": "0.1.0", "sources": len(s.sources), "destinations": len(s.destinations),
                         "connections": len(s.connections), "jobsRunning": 0, "jobsFailedToday": 1}),
]]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def address_string(self):
        return "peer"

    def answer(self):
        state, url = self.server.state, urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length)
        body = json.loads(raw) if raw else None
        state.requests.append((self.command, self.path, body))
        try:
            check = getattr(self.server, "check", None)
            status, reply = 200, (check and check(self, body)) or self.route(state, url, body)
        except Problem as problem:
            status, reply = problem.status, problem.body
        data = b"" if reply is None else json.dumps(reply).encode()
        self.send_response(204 if reply is None else status)
        self.send_header("Content-Type", "application/json")
        if reply is not None:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        try:
            self.wfile.write(data)
        except BrokenPipeError:
            pass  # a client that was interrupted

    def route(self, state, url, body):
        if state.forbidden:
            raise Problem(403, "you are no administrator")
        for method, pattern, function in ROUTES:
            match = pattern.match(url.path)
            if match and method == self.command:
                return function(state, match.groups(), parse_qs(url.query), body)
        raise Problem(404, f"no such operation: {self.command} {url.path}")

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = answer


class TcpServer(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """The same over TCP, where a token is needed: `tokens` are good; the application's secret gives a new one."""
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, context=None):
        super().__init__(("127.0.0.1", 0), Handler)
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.state = State()
        self.tokens, self.given = set(), 0
        self.url = f"http{'s' if context else ''}://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def handle_error(self, request, client_address):
        pass  # a client that does not trust us hangs up

    def check(self, handler, body):
        if handler.path == "/api/public/v1/applications/token":
            if (body["client_id"], body["client_secret"]) != ("id", 's"%'):
                raise Problem(401, "wrong")
            self.given += 1
            self.tokens.add(f"token{self.given}")
            return {"access_token": f"token{self.given}", "token_type": "Bearer", "expires_in": 900}
        if handler.headers.get("Authorization", "").removeprefix("Bearer ") not in self.tokens:
            raise Problem(401, "a token is needed")
        return None


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def __init__(self, path):
        super().__init__(path, Handler)
        self.state = State()
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
