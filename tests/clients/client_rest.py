#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What no other client asks for: one call of every operation that we serve, made from the contract's own schema of requests.

Members that are ids get those of a chain made for it; everything else is the least that the schema allows, unless BODIES says more.
Whether the answers are good is for conformance.py to say; here only a failure of the server (5xx but 501) is one."""
import re
import sys

import api
import contract
import points
from points import case

MANIFEST = {"version": "6.0.0", "type": "DeclarativeSource", "check": {"type": "CheckStream", "stream_names": ["a"]}, "streams": [],
            "spec": {"type": "Spec", "connection_specification": {"type": "object", "properties": {}}}}
SPAN = {"createdAtStart": "2020-01-01T00:00:00Z", "createdAtEnd": "2100-01-01T00:00:00Z"}
# Operations whose least request is not good enough: members that are added or replaced. '@name' is an id of the chain.
BODIES = {
    "POST /api/v1/destinations/create": {"connectionConfiguration": {"destination_path": "/local/rest"}},
    "POST /api/v1/sources/check_connection_for_update": {"connectionConfiguration": {"count": 5}},
    "POST /api/v1/jobs/list": {"configTypes": ["sync"], "configId": "@connectionId"},
    "POST /api/v1/jobs/list_for_workspaces": {"configTypes": ["sync"]},
    "POST /api/v1/web_backend/describe_cron_expression": {"cronExpression": "0 0 3 * * ?"},
    "POST /api/v1/connections/refresh": {"refreshMode": "Merge"},
    "POST /api/v1/permissions/create": {"permissionType": "workspace_reader", "workspaceId": "@workspaceId"},
    "POST /api/v1/permissions/update": {"permissionType": "workspace_admin"},
    "POST /api/v1/permissions/check": {"permissionType": "workspace_reader", "workspaceId": "@workspaceId"},
    "POST /api/v1/tags/create": {"name": "rest", "color": "AABBCC"},
    "POST /api/v1/tags/update": {"name": "rest 2", "color": "BBCCDD"},
    "POST /api/v1/applications/token": {"client_id": api.CLIENT_ID, "client_secret": api.CLIENT_SECRET},
    "POST /api/v1/source_definitions/create_custom": {"workspaceId": "@workspaceId", "sourceDefinition": "@new source"},
    "POST /api/v1/destination_definitions/create_custom": {"workspaceId": "@workspaceId", "destinationDefinition": "@new destination"},
    "POST /api/v1/source_definitions/delete": {"sourceDefinitionId": "@custom source"},
    "POST /api/v1/destination_definitions/delete": {"destinationDefinitionId": "@custom destination"},
    "POST /api/v1/source_definitions/update": {"sourceDefinitionId": "@custom source"},
    "POST /api/v1/destination_definitions/update": {"destinationDefinitionId": "@custom destination"},
    "POST /api/v1/destinations/partial_update": {"destinationId": "@destinationId", "name": "rest 3"},
    "POST /api/v1/commands/run/check": {"id": "rest-check", "actor_id": "@sourceId"},
    "POST /api/v1/commands/run/discover": {"id": "rest-discover", "actor_id": "@sourceId"},
    "POST /api/v1/commands/run/spec": {
        "id": "rest-spec", "workspace_id": "@workspaceId", "actor_definition_id": "@sourceDefinitionId"},
    "POST /api/v1/commands/status": {"id": "rest-check"},
    "POST /api/v1/commands/output/check": {"id": "rest-check"},
    "POST /api/v1/commands/output/discover": {"id": "rest-discover"},
    "POST /api/v1/commands/output/spec": {"id": "rest-spec"},
    "POST /api/v1/commands/cancel": {"id": "rest-spec"},
    "POST /api/v1/declarative_source_definitions/create_manifest": {
        "sourceDefinitionId": "@declarative", "declarativeManifest": {
            "description": "rest", "manifest": MANIFEST, "spec": {"connectionSpecification": {"type": "object"}}, "version": 2}},
    "POST /api/v1/declarative_source_definitions/list_manifests": {"sourceDefinitionId": "@declarative"},
    "POST /api/v1/declarative_source_definitions/update_active_manifest": {"sourceDefinitionId": "@declarative", "version": 1},
    "POST /api/v1/connector_builder_projects/get_for_definition_id": {"actorDefinitionId": "@declarative"},
    "POST /api/v1/connector_builder_projects/get_with_manifest": {"builderProjectId": "@builder"},
    "POST /api/v1/connector_builder_projects/update_testing_values": {"builderProjectId": "@builder"},
    "POST /api/v1/workspaces/get_by_slug": {"slug": "@slug"},
    "POST /api/v1/workspaces/create_if_not_exist": {"id": api.UNKNOWN.replace("dead", "beef")},
    "POST /api/v1/sources/delete": {"sourceId": "@spare source"},
    "POST /api/v1/destinations/delete": {"destinationId": "@spare destination"},
    "POST /api/v1/scheduler/destinations/check_connection": {"connectionConfiguration": {"destination_path": "/local/rest"}},
    "POST /api/public/v1/applications/token": {
        "client_id": api.CLIENT_ID, "client_secret": api.CLIENT_SECRET, "grant_type": "client_credentials"},
    "POST /api/public/v1/permissions": {"permissionType": "workspace_owner", "workspaceId": "@workspaceId", "userId": "@member"},
    "PATCH /api/public/v1/permissions/{}": {"permissionType": "workspace_editor"},
    "POST /api/public/v1/sources": {"configuration": {"sourceType": "sample"}},
    "PUT /api/public/v1/sources/{}": {"configuration": {"count": 6}},
    "POST /api/public/v1/destinations": {"configuration": {"destinationType": "local-json", "destination_path": "/local/rest"}},
    "PUT /api/public/v1/destinations/{}": {"configuration": {"destination_path": "/local/rest"}},
    "POST /api/public/v1/workspaces/{}/definitions/sources": {"dockerRepository": "sluice/source-file"},
    "POST /api/public/v1/workspaces/{}/definitions/destinations": {"dockerRepository": "sluice/destination-local-json"},
    "POST /api/public/v1/workspaces/{}/definitions/declarative_sources": {"manifest": MANIFEST},
    "PUT /api/public/v1/workspaces/{}/definitions/declarative_sources/{}": {"manifest": MANIFEST},
    "POST /api/public/v1/tags": {"name": "rest p", "color": "AABBCC"},
    "PATCH /api/public/v1/tags/{}": {"name": "rest q", "color": "AABBCC"},
    "POST /api/v1/sources/update": {"connectionConfiguration": {"count": 7}},
    "POST /api/v1/destinations/update": {"connectionConfiguration": {"destination_path": "/local/rest"}},
    "POST /api/v1/destinations/check_connection_for_update": {"connectionConfiguration": {"destination_path": "/local/rest"}},
    "POST /api/v1/connections/create": {"status": "active"},
    "POST /api/v1/connections/events/backfill": SPAN,
    "POST /api/v1/connections/events/list_minimal": SPAN,
    "POST /api/v1/connections/events/get": {"connectionEventId": "@event"},
    "POST /api/v1/connections/stream_history": {"timezone": "Europe/Berlin"},
    "POST /api/v1/notifications/try": {"notificationType": "customerio"},
    "POST /api/v1/state/create_or_update": {"connectionState": {
        "connectionId": "@connectionId", "stateType": "stream", "streamState": [
            {"streamDescriptor": {"name": "users"}, "streamState": {"id": 1}}]}},
    "POST /api/v1/web_backend/mappers/validate": {"streamDescriptor": {"name": "users"}},
}
# What must come late, in this order; everything else comes before, what only reads first.
LATE = ("/upgrade_version", "/create_custom", "/sync", "/reset", "/clear", "/refresh", "/cancel", "/state/create", "/delete", "DELETE ",
        "connections/delete", "sources/delete", "destinations/delete", "definitions/delete", "users/delete", "workspaces/delete",
        "DELETE /api/public/v1/connections", "DELETE /api/public/v1/workspaces/{}/definitions", "DELETE /api/public/v1/workspaces/{}")
# What others need before it is read.
EARLY = ("POST /api/public/v1/tags", "POST /api/v1/tags/create", "POST /api/public/v1/workspaces/{}/definitions/declarative_sources",
         "POST /api/v1/sources/discover_schema", "POST /api/v1/connections/events/list",
         "POST /api/v1/connector_builder_projects/get_for_definition_id", "POST /api/v1/commands/run/check",
         "POST /api/v1/commands/run/discover", "POST /api/v1/commands/run/spec")
READS = ("get", "list", "search", "check", "status", "count", "describe", "resolve", "info", "latest", "history", "progress")
# Not asked here: they end what the others need, or end the session.
LEFT_OUT = {"POST /api/v1/users/delete"}


def rank(one):
    late = max((number + 2 for number, part in enumerate(LATE) if part in one), default=0)
    reads = one.startswith("GET ") or any(word in one.rsplit("/", 1)[-1] for word in READS)
    return (EARLY.index(one) - len(EARLY) if one in EARLY else late or not reads, one)


class Maker:
    """Requests from schemas."""

    def __init__(self, contracts, ids):
        self.contracts, self.ids, self.root = contracts, ids, None

    def resolve(self, schema):
        while "$ref" in schema:
            schema = self.root["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        return schema

    def value(self, name, schema):
        schema = self.resolve(schema)
        if name in self.ids:
            return self.ids[name]
        if name.endswith("s") and name[:-1] in self.ids:
            return [self.ids[name[:-1]]]
        if "enum" in schema:
            return schema["enum"][0]
        for part in ("oneOf", "anyOf", "allOf"):
            if part in schema:
                return self.value(name, schema[part][0])
        kind = schema.get("type", "object")
        kind = kind[0] if isinstance(kind, list) else kind
        if kind == "object":
            return self.members(schema)
        if kind == "array":
            return [self.value("", schema["items"])] if schema.get("minItems") else []
        if kind == "string":
            return {"uuid": api.UNKNOWN, "email": "rest@example.org", "uri": "https://example.org/"}.get(
                schema.get("format"), "rest")
        return {"integer": max(1, schema.get("minimum", 1)), "number": 1, "boolean": False}.get(kind, "rest")

    def members(self, schema):
        properties = schema.get("properties", {})
        return {name: self.value(name, properties.get(name, {})) for name in schema.get("required", ())}

    def with_ids(self, value):
        if isinstance(value, dict):
            return {name: self.with_ids(inner) for name, inner in value.items()}
        return self.ids.get(value[1:], value) if isinstance(value, str) and value[:1] == "@" else value

    def body(self, one):
        operation, self.root = self.contracts.operations[one], self.contracts.home[one]
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        body = self.value("", content["schema"]) if content else {} if one.startswith("POST /api/v1/") else None
        more = self.with_ids(BODIES.get(one, {}))
        return {**body, **more} if isinstance(body, dict) else body

    def query(self, one):
        rows = self.contracts.operations[one].get("parameters", [])
        return {row["name"]: self.value(row["name"], row["schema"]) for row in rows
                if row["in"] == "query" and (row.get("required") or row["name"] in self.ids)}


def ids_of(http):
    """Names of members, and what they are here."""
    types = api.definitions(http)
    version = http.good("GET", "/api/v1/sluice/definitions/" + types["source-sample"])["dockerImageTag"]
    organization = http.public("GET", "/organizations")["data"][0]["organizationId"]
    permission = http.public("GET", "/permissions")["data"][0]
    job = http.public("POST", "/jobs", {"connectionId": http.fast, "jobType": "sync"})["jobId"]
    points.wait_for("the job", lambda: http.public("GET", f"/jobs/{job}")["status"] == "succeeded")
    member = http.good("POST", "/api/v1/sluice/users", {"email": "rest-member@example.org"}, status=201)["userId"]
    ids = {
        "workspaceId": http.workspace, "organizationId": organization, "userId": permission["userId"], "authUserId": permission["userId"],
        "sourceId": http.source, "destinationId": http.files, "connectionId": http.fast, "jobId": job, "id": job, "member": member,
        "attemptNumber": 0, "sourceDefinitionId": types["source-sample"],
        "destinationDefinitionId": types["destination-local-json"], "actorDefinitionId": types["source-sample"],
        "pagination": {"pageSize": 10, "rowOffset": 0}, "dockerImageTag": version, "docker_image_tag": version, "email": "rest-member@example.org",
    }
    for kind in ("source", "destination"):
        name = {"source": "sample", "destination": "local-json"}[kind]
        ids["spare " + kind] = http.public("POST", f"/{kind}s", {"name": "spare", "workspaceId": http.workspace, "configuration": {
            kind + "Type": name, "destination_path": "/local/rest"}})[kind + "Id"]
        ids["new " + kind] = {"name": "new", "dockerRepository": f"sluice/{kind}-{name}", "dockerImageTag": version,
                              "documentationUrl": "https://example.org/"}
    if not http.missing("POST /api/v1/workspaces/get"):
        ids["slug"] = http.config("workspaces/get", {"workspaceId": http.workspace})["slug"]
    # One each for either API: both delete theirs.
    for prefix, role in (("", "workspace_reader"), ("public ", "workspace_runner")):
        ids[prefix + "applicationId"] = http.public("POST", "/applications", {"name": "rest"})["id"]
        ids[prefix + "permissionId"] = http.public("POST", "/permissions", {
            "permissionType": role, "userId": member, "workspaceId": http.workspace})["permissionId"]
        for kind, repository in (("source", "sluice/source-sample"), ("destination", "sluice/destination-dev-null")):
            status, answer = http.call("POST", f"{api.PUBLIC}/workspaces/{http.workspace}/definitions/{kind}s", {
                "name": "rest", "dockerRepository": repository, "dockerImageTag": version, "documentationUrl": "https://example.org/"})
            points.ok(status == 200, f"a {kind} definition of a workspace", answer)
            ids[f"{prefix}custom {kind}"] = answer.get("id", api.UNKNOWN)
    return ids


def in_path(ids, name, one):
    """The id for a parameter of the path."""
    kind = "destination" if "/destinations" in one else "source"
    if name == "actorId":
        return ids[kind + "Id"]
    if name == "definitionId" and "declarative" in one:
        return ids.get("declarative", api.UNKNOWN)
    if name == "definitionId":
        return ids[f"public custom {kind}"]
    return ids.get("public " + name) or ids.get(name, api.UNKNOWN)


def ask(http, maker, one):
    method, path = one.split(" ", 1)
    for name in re.findall(r"{([^}]*)}", maker.paths[one]):
        path = path.replace("{}", str(in_path(maker.ids, name, one)), 1)
    status, answer = http.call(method, path, maker.body(one), maker.query(one))
    points.ok(status < 500 or status == 501, f"{one}: {status}", answer)
    if status >= 400:
        print(f"# {maker.body(one)} → {str(answer)[:300]}")
    return answer


def main():
    place = contract.folder()
    if place is None:
        points.skip("one call of every operation", "the contracts are not here")
        points.finish()
    contracts, http = contract.Contract(place), api.chain("rest", 5)
    maker = Maker(contracts, ids_of(http))
    asked = set(sys.argv[1:])
    description = http.good("GET", "/openapi.json")
    maker.paths = {}
    for template, item in description["paths"].items():
        for method in item:
            maker.paths[contract.key(method, template)] = template
    for one in sorted(set(maker.paths) & set(contracts.operations) - LEFT_OUT, key=rank):
        if not asked or one in asked:
            with case(f"{one}: is answered"):
                answer = ask(http, maker, one)
                keep(http, maker.ids, one, answer)
    points.finish()


def keep(http, ids, one, answer):
    """What was made is what is asked for and deleted later."""
    if "/commands/run/" in one:
        points.wait_for(answer["id"], lambda: http.config("commands/status", {"id": answer["id"]})["status"] == "completed")
    if one == "POST /api/v1/sources/discover_schema":
        ids.update(catalogId=answer["catalogId"], catalog=answer["catalog"])
    if one == "POST /api/v1/connections/events/list":
        ids["event"] = answer["events"][0]["id"]
    if one.endswith("/get_for_definition_id"):
        ids["builder"] = answer["builderProjectId"]
    if one == "POST /api/public/v1/tags":
        ids["public tagId"] = answer["tagId"]
    if one == "POST /api/v1/tags/create":
        ids["tagId"] = answer["tagId"]
    if one == "POST /api/public/v1/workspaces/{}/definitions/declarative_sources":
        ids["declarative"] = answer["id"]


main()
