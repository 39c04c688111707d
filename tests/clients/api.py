# SPDX-License-Identifier: Apache-2.0
"""Plain HTTP for tests: where the server is, and one call.

The environment: SLUICE_URL (http://HOST:PORT, by way of the recorder), SLUICE_CLIENT_ID and SLUICE_CLIENT_SECRET of an application
that may everything, SLUICE_WAREHOUSE_PORT of the customer's PostgreSQL (user, password and database 'warehouse')."""
import base64
import json
import os
import urllib.error
import urllib.parse
import urllib.request

URL = os.environ["SLUICE_URL"]
PUBLIC, CONFIG = "/api/public/v1", "/api/v1"
CLIENT_ID, CLIENT_SECRET = os.environ["SLUICE_CLIENT_ID"], os.environ["SLUICE_CLIENT_SECRET"]
UNKNOWN = "00000000-0000-4000-8000-00000000dead"
MASK = "**********"
ENDLESS = 10**9  # records of a source that nobody waits for


class Api:
    """call() gives (status, what was answered, as JSON where it is)."""

    def __init__(self, authorization=None, agent="sluice-tests", timeout=60):
        self.authorization, self.agent, self.timeout = authorization, agent, timeout

    def call(self, method, path, body=None, query=None, headers=None, form=False):
        url = URL + path + ("?" + urllib.parse.urlencode(query, doseq=True) if query else "")
        data, sent = None, {"User-Agent": self.agent, "Accept": "application/json", **(headers or {})}
        if form:
            data = urllib.parse.urlencode(body).encode()
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        elif body is not None:
            data, sent["Content-Type"] = json.dumps(body).encode(), "application/json"
        if self.authorization:
            sent["Authorization"] = self.authorization
        request = urllib.request.Request(url, data=data, headers=sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=self.timeout) as answer:
                return answer.status, self.parse(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, self.parse(error.read())

    @staticmethod
    def parse(content):
        try:
            return json.loads(content) if content else None
        except ValueError:
            return content.decode(errors="replace")

    def good(self, method, path, body=None, query=None, status=200):
        """What was answered; raises when the status is another."""
        found, answer = self.call(method, path, body, query)
        if found != status:
            raise AssertionError(f"{method} {path}: {found} instead of {status}: {answer}")
        return answer

    def public(self, method, path, body=None, query=None, status=200):
        return self.good(method, PUBLIC + path, body, query, status)

    def missing(self, *operations):
        """Those of 'METHOD PATH' that the server does not serve (yet)."""
        paths = self.good("GET", "/openapi.json")["paths"]
        served = {f"{method.upper()} {path}" for path, item in paths.items() for method in item}
        return [operation for operation in operations if operation not in served]

    def config(self, path, body=None, status=200):
        return self.good("POST", f"{CONFIG}/{path}", {} if body is None else body, None, status)


def token(path=PUBLIC + "/applications/token", form=False, **more):
    """The answer of a token endpoint."""
    body = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, **more}
    status, answer = Api().call("POST", path, body, form=form)
    if status != 200:
        raise AssertionError(f"{path}: {status}: {answer}")
    return answer


def bearer(agent="sluice-tests", **more):
    return Api("Bearer " + token(**more)["access_token"], agent)


def basic(user=CLIENT_ID, password=CLIENT_SECRET, agent="sluice-tests"):
    return Api("Basic " + base64.b64encode(f"{user}:{password}".encode()).decode(), agent)


def warehouse(**more):
    """Configuration of a destination-postgres."""
    return {"destinationType": "postgres", "host": "127.0.0.1", "port": int(os.environ["SLUICE_WAREHOUSE_PORT"]),
            "database": "warehouse", "schema": "public", "username": "warehouse", "password": "warehouse",
            "ssl_mode": {"mode": "disable"}, **more}


def definitions(http):
    """{"source-sample": its id, …}, by the last part of the repository."""
    rows = http.good("GET", "/api/v1/sluice/definitions")["data"]
    return {row["dockerRepository"].rsplit("/", 1)[-1]: row["definitionId"] for row in rows}


def chain(name, count=40):
    """An Api with a workspace of its own, and in it connections .fast (that ends by itself) and .slow (that somebody must cancel)."""
    http = bearer(name)
    types = definitions(http)
    http.workspace = http.public("POST", "/workspaces", {"name": name})["workspaceId"]

    def actor(kind, connector, configuration):
        body = {"name": connector, "workspaceId": http.workspace, "definitionId": types[connector], "configuration": configuration}
        return http.public("POST", f"/{kind}s", body)[f"{kind}Id"]

    def connection(name, source, destination):
        body = {"name": name, "sourceId": source, "destinationId": destination,
                "configurations": {"streams": [{"name": "users", "syncMode": "full_refresh_overwrite"}]}}
        return http.public("POST", "/connections", body)["connectionId"]
    http.source = actor("source", "source-sample", {"count": count})
    http.destination = actor("destination", "destination-postgres", warehouse(schema=name))
    http.files = actor("destination", "destination-local-json", {"destination_path": "/local/" + name})
    # What is slow is the amount: a destination that takes its time would be given that time at a cancel too.
    silent = {"test_destination": {"test_destination_type": "SILENT"}}
    http.fast = connection("fast", http.source, http.files)
    http.slow = connection("slow", actor("source", "source-sample", {"count": ENDLESS}),
                           actor("destination", "destination-dev-null", silent))
    return http
