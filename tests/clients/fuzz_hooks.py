# SPDX-License-Identifier: Apache-2.0
"""Hooks of schemathesis: requests that meet what there is, what counts as a failure, and how many there were.

FUZZ_IDS: {name of a member: id} as JSON; FUZZ_LOG: where each answer leaves 'STATUS METHOD PATH'."""
import json
import os
import zlib

import schemathesis

IDS = json.loads(os.environ["FUZZ_IDS"])
LOG = open(os.environ["FUZZ_LOG"], "a", encoding="utf-8", buffering=1)
# Chosen by the request itself, so that the seed alone decides.
SHARE, SHARE_OF_JOBS = 0.5, 0.03  # of the requests, with ids that exist; where that starts a connector and waits for it
STARTS = ("check_connection", "check_connection_for_update", "discover_schema", "/check", "/streams", "/jobs", "/sync", "/reset", "/clear",
          "/refresh", "/connections")
# Nobody would find anything once the workspace is gone.
KEPT = ("/workspaces/delete", "/connections/delete", "/sources/delete", "/destinations/delete")


def exists(context, members):
    operation = context.operation
    lasting = operation.method.upper() != "DELETE" and not operation.path.endswith(KEPT)
    return lasting and zlib.crc32(repr(members).encode(errors="replace")) / 2**32 < (SHARE_OF_JOBS if operation.path.endswith(STARTS) else SHARE)


def replace(members, kind):
    """Ids that exist, where ids are; actorId is one of both kinds."""
    if isinstance(members, dict):
        for name in members:
            known = IDS.get({"actorId": f"{kind}Id"}.get(name, name))
            if known is not None and isinstance(members[name], str):
                members[name] = known
    return members


def kind_of(context):
    return "destination" if "destination" in context.operation.path else "source"


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    return replace(path_parameters, kind_of(context)) if exists(context, path_parameters) else path_parameters


@schemathesis.hook
def map_query(context, query):
    return replace(query, kind_of(context)) if exists(context, query) else query


@schemathesis.hook
def map_body(context, body):
    return replace(body, kind_of(context)) if exists(context, body) else body


@schemathesis.hook
def after_call(context, case, response):
    LOG.write(f"{response.status_code} {case.operation.method.upper()} {case.operation.path}\n")


@schemathesis.check
def no_failure(ctx, response, case):
    """501 is an answer: what this version does not do. Everything else from 500 on is our bug."""
    assert response.status_code < 500 or response.status_code == 501, f"{response.status_code}: {response.text[:500]}"


@schemathesis.check
def errors_are_told(ctx, response, case):
    """An error is JSON that says what is wrong; nothing is told by an empty page."""
    if response.status_code < 400:
        return
    kind = response.headers.get("content-type", [""])[0]
    assert kind == "application/json", f"{response.status_code} as '{kind}'"
    body = response.json()
    assert body.get("status") == response.status_code, f"{response.status_code}: {body}"
    assert body.get("detail") or body.get("message"), f"{response.status_code} without words: {body}"
