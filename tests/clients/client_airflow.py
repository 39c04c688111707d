#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Airflow's provider: hook, operator, trigger and sensor called as the scheduler would, on real syncs."""
import asyncio
import datetime
import json
import os
import tempfile
import time

import api
import points
from points import case, equal, ok

HOME = tempfile.TemporaryDirectory(prefix="sluice-airflow-")
CONNECTION = {"conn_type": "airbyte", "host": api.URL + api.PUBLIC, "login": api.CLIENT_ID, "password": api.CLIENT_SECRET}
os.environ |= {
    "AIRFLOW_HOME": HOME.name, "AIRFLOW__CORE__LOAD_EXAMPLES": "False", "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{HOME.name}/airflow.db",
    "AIRFLOW_CONN_AIRBYTE_DEFAULT": json.dumps({**CONNECTION, "extra": {"timeout": 60}}),
    "AIRFLOW_CONN_AIRBYTE_TOKEN_URL": json.dumps({**CONNECTION, "schema": api.URL + "/applications/token"}),
    "AIRFLOW_CONN_AIRBYTE_WRONG": json.dumps({**CONNECTION, "password": "wrong"}),
}

from airflow.exceptions import TaskDeferred  # noqa: E402
from airflow.providers.airbyte.hooks.airbyte import AirbyteHook  # noqa: E402
from airflow.providers.airbyte.operators.airbyte import AirbyteTriggerSyncOperator  # noqa: E402
from airflow.providers.airbyte.sensors.airbyte import AirbyteJobSensor  # noqa: E402
from airflow.providers.airbyte.triggers.airbyte import AirbyteSyncTrigger  # noqa: E402


def operator(name, connection_id, **more):
    return AirbyteTriggerSyncOperator(task_id=name, connection_id=connection_id, wait_seconds=0.3, **more)


def hook_cases(http):
    with case("test_connection"):
        equal("  says", (True, "Connection successfully tested"), AirbyteHook().test_connection())
    with case("a token URL of one's own"):
        equal("  is asked", "succeeded", AirbyteHook("airbyte_token_url").get_job_status(sync_once(http)))
    try:
        AirbyteHook("airbyte_wrong").submit_sync_connection(http.fast)
    except Exception as error:
        ok("401" in str(error), "a wrong secret", error)
    else:
        ok(False, "a wrong secret", "it succeeded")
    for what, wanted, call in (("a connection", "404", lambda: AirbyteHook().submit_sync_connection(api.UNKNOWN)),
                               ("a job", "404", lambda: AirbyteHook().get_job_details(99999999))):
        try:
            call()
        except Exception as error:
            ok(wanted in str(error), f"{what} that there is not", error)
        else:
            ok(False, f"{what} that there is not", "it succeeded")


def sync_once(http):
    job = AirbyteHook().submit_sync_connection(http.fast)
    AirbyteHook().wait_for_job(job.job_id, wait_seconds=0.3, timeout=120)
    return job.job_id


def operator_cases(http):
    with case("execute, waiting"):
        job_id = operator("wait", http.fast).execute({})
        equal("  the job", "succeeded", AirbyteHook().get_job_details(job_id).status.value)
    with case("execute, asynchronous"):
        job_id = operator("async", http.fast, asynchronous=True).execute({})
        sensor = AirbyteJobSensor(task_id="sensor", airbyte_job_id=job_id)
        points.wait_for("the sensor", lambda: sensor.poke({}))
    with case("execute, deferred"):
        try:
            operator("deferred", http.fast, deferrable=True).execute({})
            ok(False, "  it was deferred", "it was not")
        except TaskDeferred as deferred:
            _, arguments = deferred.trigger.serialize()
            trigger = AirbyteSyncTrigger(**{**arguments, "poll_interval": 0.3})

            async def first():
                async for event in trigger.run():
                    return event
            event = asyncio.run(asyncio.wait_for(first(), 120)).payload
            equal("  the trigger's event", ("success", arguments["job_id"]), (event["status"], event["job_id"]))
            operator("complete", http.fast).execute_complete({}, event)
    with case("a reset"):
        job = AirbyteHook().submit_reset_connection(http.fast)
        AirbyteHook().wait_for_job(job.job_id, wait_seconds=0.3, timeout=120)


def running(http):
    rows = http.public("GET", "/jobs", query={"connectionId": http.slow})["data"]
    return [row for row in rows if row["status"] in ("pending", "running")]


def cancel_cases(http):
    with case("on_kill"):
        task = operator("kill", http.slow, asynchronous=True)
        job_id = task.execute({})
        points.wait_for("a running job", lambda: AirbyteHook().get_job_status(job_id).value == "running")
        task.on_kill()
        equal("  the job", "cancelled", points.wait_for("its end", lambda: (
            status := AirbyteHook().get_job_status(job_id).value) not in ("running", "pending") and status))
    with case("a timeout"):
        try:
            operator("timeout", http.slow, timeout=0.1).execute({})
            ok(False, "  it gave up", "it did not")
        except Exception as error:
            ok("is not ready after 0.1s" in str(error), "  it gave up", error)
    with case("a trigger past its time"):
        points.wait_for("the end of the last", lambda: not running(http))
        job = AirbyteHook().submit_sync_connection(http.slow)
        trigger = AirbyteSyncTrigger(conn_id="airbyte_default", job_id=job.job_id, poll_interval=0.3,
                                     end_time=time.time() + 3600, execution_deadline=time.time() - 1)

        async def first():
            async for event in trigger.run():
                return event
        event = asyncio.run(asyncio.wait_for(first(), 120)).payload
        equal("  says so", "timeout", event["status"])
        try:
            operator("late", http.slow).execute_complete({}, event)
        except RuntimeError as error:
            ok("execution timeout" in str(error), "  and cancels", error)
        AirbyteHook().cancel_job(job.job_id)


def main():
    begun = datetime.datetime.now()
    http = api.chain("airflow")
    print(f"# airflow is loaded after {(datetime.datetime.now() - begun).total_seconds():.1f} s")
    points.cases(http, (hook_cases, operator_cases, cancel_cases), {})
    points.finish()


main()
