#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The public API by the Python SDK airbyte-api 1.x: every operation it has that we serve, with its own models, on real syncs."""
import datetime
import time

import api
import points
from airbyte_api import AirbyteAPI, errors, models
from airbyte_api import api as calls
from points import case, equal, ok

LINKS = api.URL.replace("127.0.0.1", "localhost")  # as PublicUrl says
FINAL = ("succeeded", "failed", "cancelled")


def connect(secret=api.CLIENT_SECRET, **more):
    credentials = models.SchemeClientCredentials(client_id=api.CLIENT_ID, client_secret=secret, **more)
    return AirbyteAPI(server_url=api.URL + api.PUBLIC, security=models.Security(client_credentials=credentials))


def refused(what, status, text, call, **more):
    """call() raises an SDKError of that status, with a text in its body."""
    try:
        call(**more)
    except errors.SDKError as error:
        body = error.raw_response.text
        ok(error.status_code == status and text in body, what, f"{error.status_code}: {body}")
        equal(f"  {what}: content type", "application/json", error.raw_response.headers["content-type"])
    else:
        ok(False, what, "it succeeded")


class Run:
    """What the cases share; they run in the order of CASES."""

    def __init__(self):
        self.sdk = connect(token_url=api.URL + api.PUBLIC + "/applications/token")
        self.http = api.bearer()
        self.paths = {(method.upper(), path) for path, item in self.http.good("GET", "/openapi.json")["paths"].items()
                      for method in item}
        self.definitions = api.definitions(self.http)

    def serves(self, method, path):
        return (method, api.PUBLIC + path) in self.paths

    def job(self, job_id):
        return self.sdk.jobs.get_job(request=calls.GetJobRequest(job_id=job_id)).job_response

    def start(self, connection_id, kind=models.JobTypeEnum.SYNC):
        request = models.JobCreateRequest(connection_id=connection_id, job_type=kind)
        return self.sdk.jobs.create_job(request=request).job_response

    def wait(self, job_id):
        return points.wait_for(f"end of job {job_id}", lambda: (job := self.job(job_id)).status.value in FINAL and job)


# --- the way in ----------------------------------------------------------------------------------

def tokens(run):
    for name, url in (("the root", None), ("the full address", api.URL + api.PUBLIC + "/applications/token"),
                      ("/v1", api.URL + "/v1/applications/token")):
        with case(f"a token from {name}"):
            sdk = connect(**({"token_url": url} if url else {}))
            equal("  is good", 200, sdk.workspaces.list_workspaces(request=calls.ListWorkspacesRequest()).status_code)
    with case("health without a token"):
        sdk = AirbyteAPI(server_url=api.URL + api.PUBLIC)
        equal("  200", 200, sdk.health.get_health_check().status_code)
    try:
        connect("wrong", token_url=api.URL + api.PUBLIC + "/applications/token").workspaces.list_workspaces(
            request=calls.ListWorkspacesRequest())
    except Exception as error:  # a bare Exception is what the SDK raises
        ok("401" in str(error), "a wrong secret", error)
    else:
        ok(False, "a wrong secret", "it succeeded")
    bad = AirbyteAPI(server_url=api.URL + api.PUBLIC, security=models.Security(bearer_auth="a.b.c"))
    refused("a token that is none", 401, '"status":401', bad.workspaces.list_workspaces, request=calls.ListWorkspacesRequest())


def token_renewal(run):
    """A session that the SDK believes to be good is refused, dropped, and the next call asks for a new token."""
    from airbyte_api._hooks.clientcredentials import ClientCredentialsHook
    sdk = connect(token_url=api.URL + api.PUBLIC + "/applications/token")
    listing = {"request": calls.ListWorkspacesRequest()}
    sdk.workspaces.list_workspaces(**listing)
    sessions = [session for group in ClientCredentialsHook._sessions.values() for session in group.values()]
    ok(sessions, "the SDK keeps its token")
    life = [s.expires_at - time.time() for s in sessions if s.expires_at]
    ok(life and all(0 < seconds <= 86400 for seconds in life), "  for the time that we said", life)
    for session in sessions:
        session.token += "x"
    refused("a token that went bad", 401, '"status":401', sdk.workspaces.list_workspaces, **listing)
    with case("is renewed"):
        sdk.workspaces.list_workspaces(**listing)
    for group in ClientCredentialsHook._sessions.values():
        for session in group.values():
            session.expires_at = int(time.time()) - 1
    with case("an old one is renewed before it is used"):
        sdk.workspaces.list_workspaces(**listing)


# --- workspaces and actors -----------------------------------------------------------------------

def workspaces(run):
    sdk = run.sdk.workspaces
    with case("create_workspace"):
        made = sdk.create_workspace(request=models.WorkspaceCreateRequest(name="sdk")).workspace_response
        run.workspace = made.workspace_id
        equal("  its name", "sdk", made.name)
    with case("get_workspace"):
        found = sdk.get_workspace(request=calls.GetWorkspaceRequest(workspace_id=run.workspace)).workspace_response
        equal("  is what was created", made, found)
    with case("update_workspace"):
        found = sdk.update_workspace(request=calls.UpdateWorkspaceRequest(
            workspace_id=run.workspace, workspace_update_request=models.WorkspaceUpdateRequest(name="sdk 2")))
        equal("  its new name", "sdk 2", found.workspace_response.name)
    with case("delete_workspace"):
        other = sdk.create_workspace(request=models.WorkspaceCreateRequest(name="sdk other")).workspace_response.workspace_id
        equal("  204", 204, sdk.delete_workspace(request=calls.DeleteWorkspaceRequest(workspace_id=other)).status_code)
    refused("a deleted workspace", 404, "#resource-not-found", sdk.get_workspace,
            request=calls.GetWorkspaceRequest(workspace_id=other))

    def ids(**filters):
        request = calls.ListWorkspacesRequest(limit=100, **filters)
        return {row.workspace_id for row in sdk.list_workspaces(request=request).workspaces_response.data}
    with case("list_workspaces"):
        ok({run.workspace} <= ids() and other not in ids(), "  without the deleted one", ids())
        ok({run.workspace, other} <= ids(include_deleted=True), "  with the deleted one", ids(include_deleted=True))
        equal("  of one id", {run.workspace}, ids(workspace_ids=[run.workspace]))


def sources(run):
    sdk = run.sdk.sources

    def create(name="sample", count=50, **more):
        return sdk.create_source(request=models.SourceCreateRequest(
            name=name, workspace_id=run.workspace, definition_id=run.definitions["source-sample"],
            configuration=models.SourceFaker(count=count, seed=7, **more))).source_response

    def get(source_id):
        return sdk.get_source(request=calls.GetSourceRequest(source_id=source_id)).source_response
    with case("create_source"):
        made = create()
        run.source = made.source_id
        equal("  its type", "sample", made.source_type)
        ok(abs(made.created_at - time.time()) < 86400, "  its time in seconds", made.created_at)
        equal("  get_source is the same", made, get(run.source))
    with case("patch_source"):
        found = sdk.patch_source(request=calls.PatchSourceRequest(
            source_id=run.source, source_patch_request=models.SourcePatchRequest(name="patched"))).source_response
        equal("  its name", ("patched", run.source), (found.name, found.source_id))
        equal("  and no more", 50, run.http.public("GET", "/sources/" + run.source)["configuration"]["count"])
    with case("put_source"):
        found = sdk.put_source(request=calls.PutSourceRequest(source_id=run.source, source_put_request=models.SourcePutRequest(
            name="put", configuration=models.SourceFaker(count=60)))).source_response
        stored = run.http.public("GET", "/sources/" + run.source)["configuration"]
        equal("  everything is replaced", ("put", 60, -1), (found.name, stored["count"], stored["seed"]))
    with case("delete_source"):
        extra = create("extra").source_id
        equal("  204", 204, sdk.delete_source(request=calls.DeleteSourceRequest(source_id=extra)).status_code)
    refused("a deleted source", 404, "#resource-not-found", sdk.get_source, request=calls.GetSourceRequest(source_id=extra))
    refused("a configuration that the connector does not take", 422, "#unprocessable-entity", sdk.create_source,
            request=models.SourceCreateRequest(name="bad", workspace_id=run.workspace,
                                               definition_id=run.definitions["source-sample"],
                                               configuration=models.SourceFaker(count=0)))
    refused("a type that nobody knows", 400, "value-not-found", sdk.create_source, request=models.SourceCreateRequest(
        name="bad", workspace_id=run.workspace, configuration=models.SourcePokeapi(pokemon_name="ditto")))


def destinations(run):
    sdk = run.sdk.destinations
    postgres = {key: value for key, value in api.warehouse(schema="sdk").items() if key != "destinationType"}

    def create(name, configuration):
        return sdk.create_destination(request=models.DestinationCreateRequest(
            name=name, workspace_id=run.workspace, configuration=configuration)).destination_response

    def get(destination_id):
        return sdk.get_destination(request=calls.GetDestinationRequest(destination_id=destination_id)).destination_response
    with case("create_destination"):
        made = create("warehouse", models.DestinationPostgres(**postgres))
        run.destination = made.destination_id
        equal("  its type", "postgres", made.destination_type)
        equal("  its password is masked", api.MASK, made.configuration.password)
        equal("  get_destination is the same", made, get(run.destination))
    with case("put_destination with the mask"):
        found = sdk.put_destination(request=calls.PutDestinationRequest(
            destination_id=run.destination, destination_put_request=models.DestinationPutRequest(
                name="warehouse 2", configuration=models.DestinationPostgres(**{**postgres, "password": api.MASK}))))
        equal("  its name", "warehouse 2", found.destination_response.name)
    with case("patch_destination"):
        found = sdk.patch_destination(request=calls.PatchDestinationRequest(
            destination_id=run.destination, destination_patch_request=models.DestinationPatchRequest(name="warehouse 3")))
        equal("  its name", "warehouse 3", found.destination_response.name)
    with case("a destination that forgets"):
        nowhere = create("nowhere", models.DestinationDevNull(test_destination=models.Silent()))
        run.nowhere = nowhere.destination_id
        equal("  its type", "dev-null", nowhere.destination_type)
    with case("delete_destination"):
        extra = create("extra", models.DestinationDevNull(test_destination=models.Silent())).destination_id
        equal("  204", 204, sdk.delete_destination(request=calls.DeleteDestinationRequest(destination_id=extra)).status_code)
    refused("a deleted destination", 404, "#resource-not-found", sdk.get_destination,
            request=calls.GetDestinationRequest(destination_id=extra))
    with case("list_destinations"):
        request = calls.ListDestinationsRequest(workspace_ids=[run.workspace])
        rows = sdk.list_destinations(request=request).destinations_response.data
        equal("  of this workspace", {run.destination, run.nowhere}, {row.destination_id for row in rows})


def paging(run):
    """limit and offset as the SDK sends them, and the links as a client follows them."""
    sdk, wanted = run.sdk.sources, set()
    for number in range(5):
        wanted.add(sdk.create_source(request=models.SourceCreateRequest(
            name=f"page {number}", workspace_id=run.workspace, definition_id=run.definitions["source-sample"],
            configuration=models.SourceFaker(count=1))).source_response.source_id)

    def page(offset):
        return sdk.list_sources(request=calls.ListSourcesRequest(
            workspace_ids=[run.workspace], limit=2, offset=offset)).sources_response
    with case("pages of two"):
        found, pages, offset = [], [], 0
        while (answer := page(offset)).data:
            pages.append(answer)
            found += [row.source_id for row in answer.data]
            offset += 2
        equal("  all, none twice", (sorted(wanted | {run.source}), 6), (sorted(found), len(found)))
        equal("  nothing before the first", "", pages[0].previous)
        ok(all(f"offset={2 * n}" in pages[n - 1].next for n in range(1, 3)), "  next", [p.next for p in pages])
        ok("offset=0" in pages[1].previous, "  previous", pages[1].previous)
        equal("  nothing after the end", ("", []), (page(100).next, page(100).data))
    with case("following next"):
        answer, seen = run.http.public("GET", "/sources", query={"workspaceIds": run.workspace, "limit": 4}), []
        for _ in range(5):
            seen += [row["sourceId"] for row in answer["data"]]
            if not answer["next"]:
                break
            ok(answer["next"].startswith(LINKS + api.PUBLIC), "  a link to us", answer["next"])
            answer = run.http.good("GET", answer["next"].removeprefix(LINKS))
        equal("  all of them", sorted(found), sorted(seen))
    refused("a limit that is too large", 400, "limit", sdk.list_sources, request=calls.ListSourcesRequest(limit=101))
    for source_id in wanted:
        sdk.delete_source(request=calls.DeleteSourceRequest(source_id=source_id))
    with case("deleted ones are listed on demand"):
        request = calls.ListSourcesRequest(workspace_ids=[run.workspace], include_deleted=True, limit=100)
        ok(wanted <= {row.source_id for row in sdk.list_sources(request=request).sources_response.data}, "  all")


# --- connections and jobs ------------------------------------------------------------------------

def connections(run):
    sdk = run.sdk.connections
    with case("get_stream_properties"):
        streams = run.sdk.streams.get_stream_properties(request=calls.GetStreamPropertiesRequest(
            source_id=run.source, destination_id=run.destination), timeout_ms=60000).stream_properties_response
        equal("  its streams", ["products", "purchases", "users"], sorted(row.stream_name for row in streams))
        users = next(row for row in streams if row.stream_name == "users")
        ok(models.ConnectionSyncModeEnum.INCREMENTAL_DEDUPED_HISTORY in users.sync_modes, "  their modes", users.sync_modes)
        ok(["id"] in users.property_fields, "  their fields", users.property_fields)

    def create(source=None, destination=None, **more):
        return sdk.create_connection(request=models.ConnectionCreateRequest(
            source_id=source or run.source, destination_id=destination or run.destination, **more),
            timeout_ms=60000).connection_response
    users = models.StreamConfigurations(streams=[models.StreamConfiguration(
        name="users", sync_mode=models.ConnectionSyncModeEnum.INCREMENTAL_DEDUPED_HISTORY)])
    with case("create_connection"):
        made = create(name="users", configurations=users, prefix="sdk_", schedule=models.AirbyteAPIConnectionSchedule(
            schedule_type=models.ScheduleTypeEnum.CRON, cron_expression="0 0 3 * * ?"))
        run.connection = made.connection_id
        equal("  as it was said", ("users", "sdk_", "cron", "0 0 3 * * ? UTC"),
              (made.name, made.prefix, made.schedule.schedule_type.value, made.schedule.cron_expression))
        equal("  its stream", [("users", "incremental_deduped_history")],
              [(s.name, s.sync_mode.value) for s in made.configurations.streams])
        found = sdk.get_connection(request=calls.GetConnectionRequest(connection_id=run.connection)).connection_response
        equal("  get_connection is the same", made, found)
    with case("patch_connection"):
        found = sdk.patch_connection(request=calls.PatchConnectionRequest(
            connection_id=run.connection, connection_patch_request=models.ConnectionPatchRequest(
                name="users 2", status=models.ConnectionStatusEnum.INACTIVE, schedule=models.AirbyteAPIConnectionSchedule(
                    schedule_type=models.ScheduleTypeEnum.MANUAL)))).connection_response
        equal("  what was asked", ("users 2", "inactive", "manual"),
              (found.name, found.status.value, found.schedule.schedule_type.value))
        equal("  and no more", made.configurations, found.configurations)
    refused("an inactive connection is not synced", 409, "state-conflict", run.start, connection_id=run.connection)
    with case("defaults"):
        endless = run.sdk.sources.create_source(request=models.SourceCreateRequest(
            name="endless", workspace_id=run.workspace, definition_id=run.definitions["source-sample"],
            configuration=models.SourceFaker(count=api.ENDLESS))).source_response
        plain = create(endless.source_id, run.nowhere)
        run.slow_connection = plain.connection_id
        equal("  of a connection", (3, "active", "manual", ""),
              (len(plain.configurations.streams), plain.status.value, plain.schedule.schedule_type.value, plain.prefix))
    with case("list_connections"):
        request = calls.ListConnectionsRequest(workspace_ids=[run.workspace])
        rows = sdk.list_connections(request=request).connections_response.data
        equal("  of this workspace", {run.connection, run.slow_connection}, {row.connection_id for row in rows})
    refused("a stream that there is not", 400, "nonsense", sdk.create_connection, request=models.ConnectionCreateRequest(
        source_id=run.source, destination_id=run.destination, configurations=models.StreamConfigurations(
            streams=[models.StreamConfiguration(name="nonsense")])))
    refused("a source that there is not", 404, "#resource-not-found", sdk.create_connection,
            request=models.ConnectionCreateRequest(source_id=api.UNKNOWN, destination_id=run.destination))
    with case("active again"):
        sdk.patch_connection(request=calls.PatchConnectionRequest(
            connection_id=run.connection, connection_patch_request=models.ConnectionPatchRequest(
                status=models.ConnectionStatusEnum.ACTIVE)))


def jobs(run):
    sdk = run.sdk.jobs
    with case("a sync"):
        started = run.start(run.connection)
        ok(started.status.value in ("pending", "running"), "  is on its way", started)
        ended = run.wait(started.job_id)
        equal("  succeeds", ("succeeded", "sync", 60, run.connection),
              (ended.status.value, ended.job_type.value, ended.rows_synced, ended.connection_id))
        ok(ended.bytes_synced > 0 and ended.duration.startswith("PT"), "  with its numbers", ended)
        datetime.datetime.fromisoformat(ended.last_updated_at)
        datetime.datetime.fromisoformat(ended.start_time)
    with case("cancel_job"):
        slow = run.start(run.slow_connection)
        points.wait_for("a running job", lambda: run.job(slow.job_id).status.value == "running")
        answer = sdk.cancel_job(request=calls.CancelJobRequest(job_id=slow.job_id), timeout_ms=120000)
        equal("  200", 200, answer.status_code)
        equal("  cancelled", "cancelled", run.wait(slow.job_id).status.value)
    with case("cancel_job of what has ended"):
        equal("  tells how", "succeeded", sdk.cancel_job(
            request=calls.CancelJobRequest(job_id=started.job_id)).job_response.status.value)
    refused("a job that there is not", 404, "#resource-not-found", sdk.get_job, request=calls.GetJobRequest(job_id=99999999))
    refused("a refresh", 422, "#unprocessable-entity", run.start, connection_id=run.connection, kind=models.JobTypeEnum.REFRESH)
    refused("a sync of what there is not", 404, "#resource-not-found", run.start, connection_id=api.UNKNOWN)
    with case("a reset"):
        reset = run.start(run.connection, models.JobTypeEnum.RESET)
        ended = run.wait(reset.job_id)
        equal("  succeeds", ("succeeded", "reset"), (ended.status.value, ended.job_type.value))

    def ids(**filters):
        request = calls.ListJobsRequest(limit=100, **filters)
        return [row.job_id for row in sdk.list_jobs(request=request).jobs_response.data]
    with case("list_jobs"):
        mine = {"workspace_ids": [run.workspace]}
        three = [started.job_id, slow.job_id, reset.job_id]
        equal("  oldest first", three, ids(**mine))
        equal("  newest first", three[::-1], ids(**mine, order_by="createdAt|DESC"))
        equal("  of a connection", [started.job_id, reset.job_id], ids(connection_id=run.connection))
        equal("  of a type", [reset.job_id], ids(**mine, job_type=models.JobTypeEnum.RESET))
        equal("  of a status", [slow.job_id], ids(**mine, status=models.JobStatusEnum.CANCELLED))
        now = datetime.datetime.now(datetime.timezone.utc)
        equal("  of a time", (three, []), (ids(**mine, created_at_end=now), ids(**mine, created_at_start=now)))


# --- what an account has -------------------------------------------------------------------------

def definitions(run):
    request = {"workspace_id": run.workspace}
    for kind, sdk, listing, getting, row_name in (
            ("source", run.sdk.source_definitions, calls.ListSourceDefinitionsRequest, calls.GetSourceDefinitionRequest, "sample"),
            ("destination", run.sdk.destination_definitions, calls.ListDestinationDefinitionsRequest,
             calls.GetDestinationDefinitionRequest, "postgres")):
        with case(f"list_{kind}_definitions"):
            answer = getattr(sdk, f"list_{kind}_definitions")(request=listing(**request))
            rows = answer.definitions_response.data
            mine = [row for row in rows if row.id == run.definitions[f"{kind}-{row_name}"]]
            equal(f"  has {kind}-{row_name}", 1, len(mine))
            answer = getattr(sdk, f"get_{kind}_definition")(request=getting(definition_id=mine[0].id, **request))
            equal(f"  get_{kind}_definition is the same", mine[0], answer.definition_response)
        refused(f"a {kind} definition that there is not", 404, "#resource-not-found", getattr(sdk, f"get_{kind}_definition"),
                request=getting(definition_id=api.UNKNOWN, **request))


def tags(run):
    if not run.serves("POST", "/tags"):
        return points.skip("tags", "not served yet")
    sdk = run.sdk.tags
    with case("create_tag"):
        made = sdk.create_tag(request=models.TagCreateRequest(
            name="sdk", color="AABBCC", workspace_id=run.workspace)).tag_response
        equal("  its colour", ("sdk", "AABBCC"), (made.name, made.color))
        equal("  get_tag is the same", made, sdk.get_tag(request=calls.GetTagRequest(tag_id=made.tag_id)).tag_response)
    refused("the same tag again", 409, "tag-already-exists", sdk.create_tag, request=models.TagCreateRequest(
        name="sdk", color="AABBCC", workspace_id=run.workspace))
    refused("a colour that is none", 400, "tag-invalid-hex-color", sdk.create_tag, request=models.TagCreateRequest(
        name="sdk 2", color="blue", workspace_id=run.workspace))
    with case("update_tag"):
        found = sdk.update_tag(request=calls.UpdateTagRequest(
            tag_id=made.tag_id, tag_patch_request=models.TagPatchRequest(name="sdk 3", color="000000"))).tag_response
        equal("  its name", ("sdk 3", "000000"), (found.name, found.color))
    with case("list_tags"):
        rows = sdk.list_tags(request=calls.ListTagsRequest(workspace_ids=[run.workspace])).tags_response.data
        equal("  of this workspace", [made.tag_id], [row.tag_id for row in rows])
    with case("a connection's tags"):
        tag = models.Tag(tag_id=made.tag_id, workspace_id=run.workspace, name="sdk 3", color="000000")
        found = run.sdk.connections.patch_connection(request=calls.PatchConnectionRequest(
            connection_id=run.connection, connection_patch_request=models.ConnectionPatchRequest(tags=[tag])))
        equal("  are told", ["sdk 3"], [row.name for row in found.connection_response.tags])
        rows = run.sdk.connections.list_connections(
            request=calls.ListConnectionsRequest(tag_ids=[made.tag_id])).connections_response.data
        equal("  and found", [run.connection], [row.connection_id for row in rows])
    with case("delete_tag"):
        equal("  204", 204, sdk.delete_tag(request=calls.DeleteTagRequest(tag_id=made.tag_id)).status_code)


def organizations(run):
    if not run.serves("GET", "/organizations"):
        return points.skip("organizations, users, permissions", "not served yet")
    with case("list_organizations_for_user"):
        rows = run.sdk.organizations.list_organizations_for_user().organizations_response.data
        equal("  one", 1, len(rows))
        organization = rows[0].organization_id
    with case("list_permissions"):
        rows = run.sdk.permissions.list_permissions(request=calls.ListPermissionsRequest()).permissions_response.data
        ok(len(rows) >= 1, "  of who asks", rows)
    sdk, email = run.sdk.permissions, "sdk@example.org"
    invited = run.http.good("POST", "/api/v1/sluice/users", {"email": email, "name": "SDK"}, status=201)["userId"]
    with case("create_permission"):
        made = sdk.create_permission(request=models.PermissionCreateRequest(
            permission_type=models.PublicPermissionType("workspace_reader"), user_id=invited,
            workspace_id=run.workspace)).permission_response
        found = sdk.get_permission(request=calls.GetPermissionRequest(permission_id=made.permission_id)).permission_response
        equal("  get_permission is the same", made, found)
        found = sdk.update_permission(request=calls.UpdatePermissionRequest(
            permission_id=made.permission_id, permission_update_request=models.PermissionUpdateRequest(
                permission_type=models.PermissionType("workspace_editor")))).permission_response
        equal("  update_permission", "workspace_editor", found.permission_type.value)

    def users(**filters):
        request = calls.ListUsersWithinAnOrganizationRequest(organization_id=organization, **filters)
        return [row.id for row in run.sdk.users.list_users_within_an_organization(request=request).users_response.data]
    with case("list_users_within_an_organization"):
        ok(invited in users(), "  all", users())
        equal("  by e-mail", [invited], users(emails=[email]))
        equal("  by id", ([invited], []), (users(ids=[invited]), users(ids=[api.UNKNOWN])))
    with case("delete_permission"):
        equal("  204", 204, sdk.delete_permission(
            request=calls.DeletePermissionRequest(permission_id=made.permission_id)).status_code)
    refused("a deleted permission", 404, "#resource-not-found", sdk.get_permission,
            request=calls.GetPermissionRequest(permission_id=made.permission_id))


def clean_up(run):
    sdk = run.sdk
    with case("delete_connection"):
        equal("  204", 204, sdk.connections.delete_connection(
            request=calls.DeleteConnectionRequest(connection_id=run.connection)).status_code)
        request = calls.ListConnectionsRequest(workspace_ids=[run.workspace])
        equal("  is listed no more", [run.slow_connection],
              [row.connection_id for row in sdk.connections.list_connections(request=request).connections_response.data])
    with case("a workspace goes with what it has"):
        sdk.workspaces.delete_workspace(request=calls.DeleteWorkspaceRequest(workspace_id=run.workspace))
    refused("  its source", 404, "#resource-not-found", sdk.sources.get_source,
            request=calls.GetSourceRequest(source_id=run.source))


CASES = (tokens, token_renewal, workspaces, sources, destinations, paging, connections, jobs, definitions, tags, organizations,
         clean_up)


def main():
    run = Run()
    for one in CASES:
        begun = time.monotonic()
        with case(f"{one.__name__}: to its end"):
            one(run)
        print(f"# {one.__name__}: {time.monotonic() - begun:.1f} s", flush=True)
    points.finish()


main()
