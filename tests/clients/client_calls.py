#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Calls as PyAirbyte and Kestra send them, in their order: the packages themselves are too large, or Java. And tokens that end."""
import time

import api
import points
from points import case, equal, ok

CONFIG = [f"POST /api/v1/{path}" for path in (
    "sources/check_connection", "destinations/check_connection", "state/get", "state/create_or_update_safe",
    "web_backend/connections/get", "jobs/get", "workspaces/list_by_organization_id", "workspaces/get_organization_info",
    "organizations/get_organization_info")]


def wait(http, job_id):
    return points.wait_for(f"job {job_id}", lambda: (
        status := http.public("GET", f"/jobs/{job_id}")["status"]) in ("succeeded", "failed", "cancelled") and status)


def pyairbyte_deploys(http):
    """Connect, deploy a source and a destination by unique names, connect them, sync, poll, look at the destination."""
    http.public("GET", f"/workspaces/{http.workspace}")
    made = {}
    for kind, body in (("source", {"sourceType": "sample", "count": 30}), ("destination", api.warehouse(schema="pyairbyte"))):
        with case(f"deploy a {kind}"):
            rows = http.public("GET", f"/{kind}s", query={"workspaceIds": http.workspace, "limit": 100, "offset": 0})["data"]
            ok("deployed" not in [row["name"] for row in rows], "  its name is free")
            made[kind] = http.public("POST", f"/{kind}s", {
                "name": "deployed", "workspaceId": http.workspace, "configuration": body})[f"{kind}Id"]
            # PATCH, never PUT
            http.public("PATCH", f"/{kind}s/{made[kind]}", {"configuration": {"count": 31} if kind == "source" else {"schema": "py2"}})
    with case("connect"):
        connection = http.public("POST", "/connections", {
            "name": "deployed", "sourceId": made["source"], "destinationId": made["destination"], "prefix": "py_",
            "configurations": {"streams": [{"name": "users"}, {"name": "products"}]}})["connectionId"]
    with case("sync"):
        job = http.public("POST", "/jobs", {"connectionId": connection, "jobType": "sync"})["jobId"]
        equal("  it ends", "succeeded", wait(http, job))
        rows = http.public("GET", "/jobs", query={
            "workspaceIds": http.workspace, "connectionId": connection, "limit": 1, "orderBy": "createdAt|DESC"})["data"]
        equal("  the newest of the connection", [job], [row["jobId"] for row in rows])
    with case("what a reader of tables needs"):
        found = http.public("GET", f"/destinations/{made['destination']}")
        equal("  where they are", ("postgres", "py2", "warehouse"),
              (found["destinationType"], found["configuration"]["schema"], found["configuration"]["database"]))
        equal("  and their prefix", "py_", http.public("GET", f"/connections/{connection}")["prefix"])
    with case("undeploy"):
        http.public("DELETE", f"/connections/{connection}", status=204)
        for kind, actor_id in made.items():
            http.public("DELETE", f"/{kind}s/{actor_id}", status=204)


def pyairbyte_by_config_api(http):
    with case("check of a source and a destination"):
        equal("  both", ("succeeded", "succeeded"), (
            api.bearer().config("sources/check_connection", {"sourceId": http.source})["status"],
            api.bearer().config("destinations/check_connection", {"destinationId": http.files})["status"]))
    with case("state, as it goes round"):
        job = http.public("POST", "/jobs", {"connectionId": http.fast, "jobType": "sync"})["jobId"]
        equal("  after a sync", "succeeded", wait(http, job))
        state = http.config("state/get", {"connectionId": http.fast})
        ok(state["stateType"] in ("stream", "not_set"), "  is told", state)
        if state["stateType"] == "stream":
            again = http.config("state/create_or_update_safe", {"connectionId": http.fast, "connectionState": state})
            equal("  is stored as it was told", state["streamState"], again["streamState"])
    with case("state while a sync runs"):
        job = http.public("POST", "/jobs", {"connectionId": http.slow, "jobType": "sync"})["jobId"]
        points.wait_for("a running job", lambda: http.public("GET", f"/jobs/{job}")["status"] == "running")
        status, _ = http.call("POST", "/api/v1/state/create_or_update_safe", {"connectionId": http.slow, "connectionState": {
            "connectionId": http.slow, "stateType": "stream", "streamState": []}})
        equal("  is locked", 423, status)
        http.public("DELETE", f"/jobs/{job}")
        equal("  until it ends", "cancelled", wait(http, job))
    with case("catalog and attempts"):
        found = http.config("web_backend/connections/get", {"connectionId": http.fast, "withRefreshedCatalog": False})
        names = {row["stream"]["name"]: row["config"]["selected"] for row in found["syncCatalog"]["streams"]}
        equal("  every stream, and which are selected", {"users": True, "products": False, "purchases": False}, names)
        info = http.config("jobs/get", {"id": job})
        ok(info["attempts"][0]["attempt"]["id"] == 0, "  an attempt", info["attempts"])
        ok({"events", "logLines"} & set(info["attempts"][0]["logs"]), "  and its log", info["attempts"][0]["logs"])
    with case("organization"):
        info = http.config("workspaces/get_organization_info", {"workspaceId": http.workspace})
        rows = http.config("workspaces/list_by_organization_id", {
            "organizationId": info["organizationId"], "pagination": {"pageSize": 100, "rowOffset": 0}})["workspaces"]
        ok(http.workspace in [row["workspaceId"] for row in rows], "  its workspaces", rows)


def kestra(http):
    """Basic or a token by JSON with the hyphen, then sync and poll with a trailing slash."""
    token = api.token("/api/v1/applications/token", **{"grant-type": "client_credentials"})["access_token"]
    for way, client in (("token", api.Api("Bearer " + token)), ("basic auth", api.basic())):
        with case(f"sync by {way}"):
            job = client.good("POST", "/api/v1/connections/sync/", {"connectionId": http.fast})["job"]
            info = client.good("POST", "/api/v1/jobs/get", {"id": job["id"]})
            ok(len(info["attempts"]) >= 1, "  an attempt is there right away", info)
            equal("  it ends", "succeeded", points.wait_for("its end", lambda: (
                status := client.good("POST", "/api/v1/jobs/get", {"id": job["id"]})["job"]["status"])
                not in ("pending", "running") and status))
    with case("already running"):
        job = http.good("POST", "/api/v1/connections/sync/", {"connectionId": http.slow})["job"]["id"]
        # what only waits is given back, what runs is refused
        points.wait_for("a running job", lambda: http.public("GET", f"/jobs/{job}")["status"] == "running")
        status, answer = http.call("POST", "/api/v1/connections/sync/", {"connectionId": http.slow})
        ok(status == 409 and "already running" in str(answer), "  is said so", f"{status} {answer}")
        http.public("DELETE", f"/jobs/{job}")
        wait(http, job)


def tokens_in_every_way(http):
    """Form or JSON, any spelling of the grant, any of the addresses that clients make up."""
    for path in ("/api/public/v1/applications/token", "/applications/token", "/v1/applications/token", "/api/v1/applications/token"):
        for name in ("grant_type", "grant-type"):
            for form in (False, True):
                if form and path.startswith("/api/v1"):
                    continue  # JSON alone, as the contract has it
                with case(f"{path} by {'form' if form else 'JSON'} with {name}"):
                    answer = api.token(path, form, **{name: "client_credentials"})
                    client = api.Api("Bearer " + answer["access_token"])
                    client.public("GET", "/workspaces")
    with case("a token's own words"):
        answer = api.token(form=True)
        equal("  bearer", "bearer", answer["token_type"].lower())
        ok(isinstance(answer["expires_in"], int) and answer["expires_in"] > 0, "  and its time", answer)
    with case("basic auth"):
        api.basic().public("GET", "/workspaces")
        equal("  with a wrong password", 401, api.basic(password="wrong").call("GET", api.PUBLIC + "/workspaces")[0])


def main():
    http = api.chain("calls")
    begun = time.monotonic()
    points.cases(http, (tokens_in_every_way, pyairbyte_deploys, pyairbyte_by_config_api, kestra), {
        pyairbyte_by_config_api: CONFIG, kestra: ["POST /api/v1/connections/sync", "POST /api/v1/jobs/get"]})
    print(f"# {time.monotonic() - begun:.1f} s")
    points.finish()


main()
