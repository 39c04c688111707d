#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""prefect-airbyte: the block, its client and its flow's steps, on the config API by basic auth."""
import asyncio
import logging
import os
import tempfile

import api
import points
from points import case, equal, ok

HOME = tempfile.TemporaryDirectory(prefix="sluice-prefect-")
os.environ |= {"PREFECT_HOME": HOME.name, "PREFECT_LOGGING_LEVEL": "ERROR", "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false"}

from prefect_airbyte import exceptions  # noqa: E402
from prefect_airbyte.connections import AirbyteConnection  # noqa: E402
from prefect_airbyte.server import AirbyteServer  # noqa: E402


async def block_cases(http):
    port = int(api.URL.rsplit(":", 1)[1])
    server = AirbyteServer(server_host="127.0.0.1", server_port=port, username=api.CLIENT_ID, password=api.CLIENT_SECRET)
    log = logging.getLogger("prefect-test")
    with case("health and status"):
        async with server.get_client(log) as client:
            equal("  of a connection", "active", await client.get_connection_status(http.fast))
    for what, kind, call in (("connection", exceptions.ConnectionNotFoundException, "get_connection_status"),
                             ("sync", exceptions.ConnectionNotFoundException, "trigger_manual_sync_connection"),
                             ("job", exceptions.JobNotFoundException, "get_job_info")):
        async with server.get_client(log) as client:
            try:
                await getattr(client, call)(99999999 if what == "job" else api.UNKNOWN)
            except kind:
                ok(True, f"a {what} that there is not")
            except Exception as error:
                ok(False, f"a {what} that there is not", repr(error))
            else:
                ok(False, f"a {what} that there is not", "it succeeded")
    with case("trigger, wait, fetch"):
        block = AirbyteConnection(airbyte_server=server, connection_id=http.fast, poll_interval_s=1, status_updates=True)
        job = await block.trigger()
        await job.wait_for_completion()
        result = await job.fetch_result()
        equal("  the result", ("succeeded", 40), (result.job_status, result.records_synced))
    with case("a cancelled job"):
        block = AirbyteConnection(airbyte_server=server, connection_id=http.slow, poll_interval_s=1)
        job = await block.trigger()
        http.public("DELETE", f"/jobs/{job.job_id}")
        try:
            await job.wait_for_completion()
            ok(False, "  is a failure", "it was not")
        except exceptions.AirbyteSyncJobFailed as error:
            ok("cancelled" in str(error), "  is a failure", error)
    with case("a wrong password"):
        wrong = AirbyteServer(server_host="127.0.0.1", server_port=port, username=api.CLIENT_ID, password="wrong")
        try:
            async with wrong.get_client(log) as client:
                await client.get_connection_status(http.fast)
            ok(False, "  is refused", "it was not")
        except exceptions.AirbyteServerNotHealthyException as error:
            ok("401" in repr(error.__cause__), "  is refused", repr(error.__cause__))


def main():
    def blocks(http):
        asyncio.run(block_cases(http))
    points.cases(api.chain("prefect"), (blocks,), {blocks: [
        f"POST /api/v1/{path}" for path in ("connections/get", "connections/sync", "jobs/get")]})
    points.finish()


main()
