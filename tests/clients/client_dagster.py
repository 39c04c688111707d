#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""dagster-airbyte: the workspace of today (both APIs, token) and the resource of old (config API, basic auth)."""
import os
import tempfile
import warnings

HOME = tempfile.TemporaryDirectory(prefix="sluice-dagster-")
os.environ |= {"DAGSTER_HOME": HOME.name, "DAGSTER_DISABLE_TELEMETRY": "1"}
warnings.simplefilter("ignore")

import dagster  # noqa: E402

import api  # noqa: E402
import points  # noqa: E402
from dagster_airbyte import AirbyteResource, AirbyteWorkspace  # noqa: E402
from points import case, equal, ok  # noqa: E402

URLS = {"rest_api_base_url": api.URL + api.PUBLIC, "configuration_api_base_url": api.URL + api.CONFIG}
SHORT = {"poll_interval": 0.3, "request_max_retries": 0, "request_timeout": 60}


def failure(what, text, call):
    try:
        call()
    except dagster.Failure as error:
        ok(text in str(error.description), what, error.description)
    else:
        ok(False, what, "it succeeded")


def workspace_cases(http):
    ways = {"token": {"client_id": api.CLIENT_ID, "client_secret": api.CLIENT_SECRET},
            "basic auth": {"username": api.CLIENT_ID, "password": api.CLIENT_SECRET}}
    for way, credentials in ways.items():
        workspace = AirbyteWorkspace(workspace_id=http.workspace, max_items_per_page=1, **URLS, **credentials, **SHORT)
        client = workspace.get_client()
        with case(f"{way}: its connections, page by page"):
            client.validate_workspace_id()
            found = client.get_connections()
            equal("  all of them", {http.fast, http.slow}, {row["connectionId"] for row in found})
        with case(f"{way}: what assets are made of"):
            data = workspace.fetch_airbyte_workspace_data()
            properties = data.to_airbyte_connection_table_props_data()
            equal("  a table a stream", {"users"}, {row.stream_name for row in properties})
            equal("  into", {"local-json", "dev-null"}, {row.destination_type for row in properties})
            specs = workspace.load_asset_specs()
            equal("  one asset", 1, len({spec.key for spec in specs}))
        with case(f"{way}: sync_and_poll"):
            output = client.sync_and_poll(http.fast)
            equal("  the job", "succeeded", output.job_details["status"])
            jobs = client.get_jobs_for_connection(http.fast)
            ok(output.job_details["jobId"] in [job.id for job in jobs], "  is listed", jobs)
    with case("a timeout cancels"):
        short = AirbyteWorkspace(workspace_id=http.workspace, poll_timeout=1, **URLS, **ways["token"], **SHORT).get_client()
        failure("  it gave up", "is not ready after the timeout", lambda: short.sync_and_poll(http.slow))
        job = short.get_jobs_for_connection(http.slow)[-1]
        equal("  the job", "cancelled", points.wait_for("its end", lambda: (
            status := short.get_job_details(job.id)["status"]) not in ("running", "pending") and status))
    failure("a wrong secret", "Max retries", AirbyteWorkspace(
        workspace_id=http.workspace, client_id=api.CLIENT_ID, client_secret="wrong", **URLS, **SHORT).get_client().get_connections)


def resource_cases(http):
    host, port = api.URL.removeprefix("http://").split(":")
    resource = AirbyteResource(host=host, port=port, username=api.CLIENT_ID, password=api.CLIENT_SECRET, use_https=False, **SHORT)
    with case("legacy: sync_and_poll"):
        output = resource.sync_and_poll(http.fast, poll_interval=0.3, poll_timeout=120)
        equal("  the job", "succeeded", output.job_details["job"]["status"])
        equal("  its attempt", [("succeeded", 40)], [(row["attempt"]["status"], row["attempt"]["recordsSynced"])
                                                     for row in output.job_details["attempts"]])
    with case("legacy: without the log"):
        quiet = AirbyteResource(host=host, port=port, username=api.CLIENT_ID, password=api.CLIENT_SECRET, use_https=False,
                                forward_logs=False, **SHORT)
        equal("  the job", "succeeded", quiet.sync_and_poll(
            http.fast, poll_interval=0.3, poll_timeout=120).job_details["job"]["status"])
    with case("legacy: a sync that is cancelled"):
        failure("  is a failure", "Timeout", lambda: resource.sync_and_poll(http.slow, poll_interval=0.3, poll_timeout=1))
    with case("legacy: what assets are made of"):
        workspaces = resource.make_request("/workspaces/list", {})["workspaces"]
        ok(http.workspace in [row["workspaceId"] for row in workspaces], "  workspaces/list", workspaces)
        ok(resource.get_source_definition_by_name("Sample data"), "  source_definitions/list")
        ok(resource.get_destination_definition_by_name("Local JSON Lines"), "  destination_definitions/list")
        schema = resource.get_source_schema(http.source)
        ok("users" in [row["stream"]["name"] for row in schema["catalog"]["streams"]], "  sources/discover_schema", schema)


def main():
    http = api.chain("dagster")
    points.cases(http, (workspace_cases, resource_cases), {
        workspace_cases: ["POST /api/v1/connections/get"],
        resource_cases: [f"POST /api/v1/{path}" for path in (
            "connections/get", "connections/sync", "jobs/get", "jobs/list", "jobs/cancel", "workspaces/list",
            "source_definitions/list", "destination_definitions/list", "sources/discover_schema")]})
    points.finish()


main()
