#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""connectors.py ORCHESTRATOR SLUICE-INIT NAME PYTHON-ENVIRONMENT: a public connector through sluice-orchestrator, against things
that this program serves itself. TAP without a plan."""
import http.server
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import urllib.parse

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "orchestrator"))
import harness  # noqa: E402
from harness import Run, stream  # noqa: E402

ROWS = 250
PAGE = 20
FAILED = []


def point(good, text, found=None):
    print(f"{'ok' if good else 'not ok'} - {text}", flush=True)
    if not good:
        FAILED.append(text)
        print(f"# found: {found}", flush=True)


# --- a small HTTP API -------------------------------------------------------------------------------------------------

def day(number):
    return f"2024-{number // 28 + 1:02d}-{number % 28 + 1:02d}"


class Items(http.server.BaseHTTPRequestHandler):
    """GET /items?since=DAY&offset=N&limit=N: items by their day. Every seventh call is one too many."""
    rows, calls, refused = ROWS, 0, 0

    def log_message(self, *args):
        pass

    def do_GET(self):
        cls, url = type(self), urllib.parse.urlparse(self.path)
        cls.calls += 1
        if self.headers.get("Authorization") != "Bearer s3cret-key":
            return self.answer(401, b'{"error": "who are you?"}')
        if cls.calls % 7 == 0:
            cls.refused += 1
            return self.answer(429, b'{"error": "too many"}', more=[("Retry-After", "1")])
        query = dict(urllib.parse.parse_qsl(url.query))
        found = [{"id": i, "day": day(i), "big": 12345678901234567890 + i, "text": f"é {i}"} for i in range(cls.rows)
                 if day(i) >= query.get("since", "")]
        offset = int(query.get("offset", 0))
        self.answer(200, json.dumps({"items": found[offset:offset + PAGE]}).encode())

    def answer(self, status, body, more=()):
        self.send_response(status)
        for name, value in [("Content-Type", "application/json"), ("Content-Length", str(len(body))), *more]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def manifest(url):
    schema = {"type": "object", "properties": {"id": {"type": "integer"}, "day": {"type": "string"}, "big": {"type": "integer"},
                                               "text": {"type": "string"}}}
    return {
        "version": "6.0.0", "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": ["items"]},
        "streams": [{
            "type": "DeclarativeStream", "name": "items", "primary_key": ["id"],
            "schema_loader": {"type": "InlineSchemaLoader", "schema": schema},
            "retriever": {
                "type": "SimpleRetriever",
                "requester": {
                    "type": "HttpRequester", "url_base": url, "path": "/items", "http_method": "GET",
                    "authenticator": {"type": "BearerAuthenticator", "api_token": "{{ config['key'] }}"},
                    "error_handler": {"type": "DefaultErrorHandler", "max_retries": 5, "backoff_strategies": [
                        {"type": "WaitTimeFromHeader", "header": "Retry-After"}]}},
                "record_selector": {"type": "RecordSelector", "extractor": {"type": "DpathExtractor", "field_path": ["items"]}},
                "paginator": {
                    "type": "DefaultPaginator",
                    "page_token_option": {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "offset"},
                    "page_size_option": {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "limit"},
                    "pagination_strategy": {"type": "OffsetIncrement", "page_size": PAGE}}},
            "incremental_sync": {
                "type": "DatetimeBasedCursor", "cursor_field": "day", "datetime_format": "%Y-%m-%d",
                "cursor_datetime_formats": ["%Y-%m-%d"],
                "start_datetime": {"type": "MinMaxDatetime", "datetime": "2024-01-01", "datetime_format": "%Y-%m-%d"},
                "start_time_option": {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "since"}}}],
        "spec": {"type": "Spec", "connection_specification": {"type": "object", "required": ["key"], "properties": {
            "key": {"type": "string", "airbyte_secret": True}}}}}


def run(command, configuration, **more):
    one = Run(source="", commands={"source": command}, conf={"silence": "300s", "stall": "300s", "job_timeout": "300s"}, **more)
    one.api.input["source"] = {"configuration": configuration, "secretPaths": ["key"]}
    return one.go(400)


def records(one):
    return [json.loads(line)["record"]["data"] for line in one.received().split(b"\n") if line.startswith(b'{"type":"RECORD"')
            or line.startswith(b'{"type": "RECORD"')]


def declarative(command, url):
    configuration = {"key": "s3cret-key", "__injected_declarative_manifest": manifest(url)}
    body = run(command, configuration, kind="check").succeeded()
    point(body["output"]["check"] == {"status": "succeeded"}, "check", body)
    body = run(command, dict(configuration, key="wrong-key"), kind="check").end()[1]
    point(body["output"]["check"]["status"] == "failed", "check with a wrong key fails", body)
    point("message" in body["output"]["check"] and "wrong-key" not in json.dumps(body), "  with the connector's own words", body)
    found = run(command, configuration, kind="discover").succeeded()["output"]["catalog"]["streams"][0]
    point(found["name"] == "items" and found["source_defined_primary_key"] == [["id"]], "discover", found)
    streams = [stream("items", cursor_field=["day"])]
    streams[0]["stream"].update(found)
    streams[0]["stream"]["json_schema"] = found["json_schema"]
    first = run(command, configuration, streams=streams)
    body = first.succeeded()
    rows = records(first)
    point(sorted(row["id"] for row in rows) == list(range(ROWS)), f"{ROWS} records over {ROWS // PAGE + 1} pages", len(rows))
    point(all(row["big"] == 12345678901234567890 + row["id"] for row in rows), "20-digit numbers as they are", rows[:1])
    point(Items.refused > 0, "429 was answered and waited for", Items.calls)
    point(body["stats"]["total"]["recordsCommitted"] == ROWS, "all are committed", body["stats"])
    point(not first.said("the source says that it sent"), "its own counts are ours", first.log()[-10:])
    state = first.states()[-1]
    point(state["stream"]["stream_descriptor"]["name"] == "items", "a state came", state)
    Items.rows = ROWS + 30
    second = run(command, configuration, streams=streams, state=[state])
    second.succeeded()
    ids = [row["id"] for row in records(second)]
    point(set(range(ROWS, ROWS + 30)) <= set(ids) and min(ids) >= ROWS - 2, "the next sync goes on from it", ids)
    point("s3cret-key" not in json.dumps(first.log()) + json.dumps(second.log()), "the key is in no log")


def file(command, url):
    """From a folder: over the network this connector insists on https."""
    folder = tempfile.mkdtemp(prefix="rows-")
    path = folder + "/rows.csv"
    with open(path, "w", encoding="utf-8") as rows:
        rows.write("id,name\n" + "".join(f"{i},Zoë {i}\n" for i in range(ROWS)))
    try:
        read_file(command, path)
    finally:
        shutil.rmtree(folder)


def read_file(command, path):
    configuration = {"dataset_name": "rows", "format": "csv", "url": path, "provider": {"storage": "local"}}
    body = run(command, configuration, kind="check").succeeded()
    point(body["output"]["check"] == {"status": "succeeded"}, "check", body)
    body = run(command, dict(configuration, url=path + ".missing"), kind="check").end()[1]
    point(body["output"].get("check", {}).get("status") != "succeeded", "check of a file that is not there", body)
    found = run(command, configuration, kind="discover").succeeded()["output"]["catalog"]["streams"][0]
    point(sorted(found["json_schema"]["properties"]) == ["id", "name"], "discover", found)
    streams = [stream("rows", sync_mode="full_refresh")]
    streams[0]["stream"].update(found)
    one = run(command, configuration, streams=streams)
    body = one.succeeded()
    rows = records(one)
    point([row["id"] for row in rows] == list(range(ROWS)) and rows[3]["name"] == "Zoë 3", f"{ROWS} records", rows[:4])
    point(body["stats"]["total"]["recordsCommitted"] == ROWS, "all are committed", body["stats"])


# --- a destination --------------------------------------------------------------------------------------------------------

LAKE_SOURCE = r"""
for i in range(%d):
    record("items", {"id": i, "text": "Zo\u00eb %%d" %% i, "note": None if i %% 3 else "every third", "secret": "hush %%d" %% i})
    if i %% 50 == 49:
        state("items", {"at": i})
"""
# What a model would do: a vector for every text, by its length.
EMBED = """import json, sys
print(json.dumps([[float(len(text)), 1.0, 0.5, 0.25] for text in json.load(sys.stdin)]))
"""


def lake_rows(command, table):
    """What is in its Parquet files: id → the others."""
    code = ("import glob, json, sys, pyarrow.parquet as parquet\n"
            "print(json.dumps([{k: v for k, v in row.items() if isinstance(v, (str, int, type(None)))}\n"
            "    for path in glob.glob(sys.argv[1] + '/**/*.parquet', recursive=True) for row in parquet.read_table(path).to_pylist()]))")
    python = os.path.join(os.path.dirname(command), "python")
    said = subprocess.run([python, "-c", code, table], capture_output=True, text=True, check=True).stdout
    return json.loads(said)


def ailake(command, url):
    """Embeds a text of every record with a program that it is told, and keeps tables in a folder: it needs no service."""
    folder = tempfile.mkdtemp(prefix="lake-")
    with open(folder + "/embed.py", "w", encoding="utf-8") as program:
        program.write(EMBED)
    configuration = {"table_base_path": folder + "/tables", "embed_mode": "cmd", "embedding_dim": 4, "text_field": "text",
                     "embed_cmd": f"/usr/bin/python3 {folder}/embed.py"}
    try:
        into_lake(command, configuration)
    finally:
        shutil.rmtree(folder)


def lake_run(command, configuration, **more):
    one = Run(destination="", commands={"destination": command},
              conf={"silence": "300s", "stall": "300s", "job_timeout": "300s"}, **more)
    one.api.input["destination"] = {"configuration": configuration, "secretPaths": [], "supportsRefreshes": False}
    return one.go(400)


def into_lake(command, configuration):
    body = lake_run(command, configuration, kind="check").succeeded()
    point(body["output"]["check"] == {"status": "succeeded"}, "check", body)
    body = lake_run(command, dict(configuration, embedding_dim=5), kind="check").end()[1]
    point(body["output"]["check"]["status"] == "failed" and "shape" in body["output"]["check"]["message"], "check with a wrong dimension",
          body)
    streams = [stream("items", mappers=[{"id": "1", "type": "field-filtering", "mapperConfiguration": {"targetField": "secret"}}])]
    streams[0]["stream"]["json_schema"] = {"type": "object", "properties": {
        "id": {"type": "integer"}, "text": {"type": "string"}, "note": {"type": "string"}, "secret": {"type": "string"}}}
    one = lake_run(command, configuration, source=LAKE_SOURCE % ROWS, streams=streams)
    body = one.succeeded()
    total = body["stats"]["total"]
    point(total["recordsCommitted"] == ROWS == total["recordsEmitted"], "all are committed", total)
    point(total["destinationStateMessagesEmitted"] == ROWS // 50, "every state came back", total)
    point(one.states()[-1]["stream"]["stream_state"] == {"at": ROWS - 1}, "the last state is stored", one.states()[-1:])
    rows = lake_rows(command, configuration["table_base_path"] + "/items")
    point(sorted(row["id"] for row in rows) == list(range(ROWS)), f"{ROWS} rows in the tables' files", rows[:2])
    point(all("Zoë %d" % row["id"] in row.values() and row["note"] == (None if row["id"] % 3 else "every third") for row in rows),
          "with their values", rows[:2])
    point(not any("hush" in str(row) or "secret" in row for row in rows), "without the field that a mapper took out", rows[:2])
    two = lake_run(command, dict(configuration, embed_cmd="/bin/false"), source=LAKE_SOURCE % ROWS, streams=streams)
    body = two.failed("embed_cmd failed", origin="destination")
    point(body["stats"]["total"]["recordsCommitted"] == 0 and two.states() == [], "its failure is told, and nothing is committed", body)


CONNECTORS = {"ailake": ("airbyte-destination-ailake", ailake), "declarative": ("source-declarative-manifest", declarative), "file": ("source-file", file)}


def main():
    harness.ORCHESTRATOR, harness.INIT = (os.path.abspath(path) for path in sys.argv[1:3])
    program, test = CONNECTORS[sys.argv[3]]
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Items)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        test(f"{os.path.abspath(sys.argv[4])}/bin/{program}", f"http://127.0.0.1:{server.server_address[1]}")
    except Exception as error:
        point(False, f"{program}: {type(error).__name__}", str(error)[:3000])
    finally:
        harness.close_all()
    return bool(FAILED)


if __name__ == "__main__":
    sys.exit(main())
