#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""schemathesis over our own description: no failure of the server, answers of the schema that is promised, errors that tell.

FUZZ_REQUESTS  how many requests at least (20000)       FUZZ_SEED  the seed; one is made up and printed otherwise
FUZZ_ONLY      a regular expression of paths            FUZZ_DIRECT  where the server is, without the recorder"""
import collections
import json
import math
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile

import api
import points

HERE = pathlib.Path(__file__).resolve().parent
REQUESTS = int(os.environ.get("FUZZ_REQUESTS", 20000))
SEED = int(os.environ.get("FUZZ_SEED") or random.randrange(1 << 31))
# These never end, end the session that we ask with, or answer a text where a client expects the label of JSON.
LEFT_OUT = re.compile(r"/sluice/events$|/logout$|/public/v1/health$|/openapi.json$")
CHECKS = "no_failure,errors_are_told,response_schema_conformance,content_type_conformance"


def description(http, folder):
    """Ours, with the operations that are asked; errors have a shape of their own (errors_are_told)."""
    openapi = http.good("GET", "/openapi.json")
    only = re.compile(os.environ.get("FUZZ_ONLY", ""))
    openapi["paths"] = {path: item for path, item in openapi["paths"].items() if only.search(path) and not LEFT_OUT.search(path)}
    for item in openapi["paths"].values():
        for operation in item.values():
            operation["responses"]["default"] = {"description": "an error", "content": {"application/json": {}}}
    file = folder / "openapi.json"
    file.write_text(json.dumps(openapi), encoding="utf-8")
    return file, sum(len(item) for item in openapi["paths"].values())


def run(http, folder):
    file, operations = description(http, folder)
    log = folder / "answers"
    ids = {"workspaceId": http.workspace, "sourceId": http.source, "destinationId": http.files, "connectionId": http.fast}
    # The other half comes from schemathesis' phase 'coverage', whose number is not ours to choose.
    each = max(1, math.ceil(REQUESTS * 0.62 / operations))
    print(f"# seed {SEED}, {operations} operations, {each} requests each", flush=True)
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": "fuzz_hooks", "FUZZ_IDS": json.dumps(ids), "FUZZ_LOG": str(log),
                   "PYTHONPATH": str(HERE), "PYTHONHASHSEED": "0"}
    done = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", "--config-file", folder / "schemathesis.toml", "run", file,
         "--url", os.environ.get("FUZZ_DIRECT", api.URL),
         "-H", f"Authorization: {http.authorization}", "--checks", CHECKS, "--phases", "coverage,fuzzing", "--max-examples", str(each),
         "--seed", str(SEED), "--workers", "2", "--no-color", "--continue-on-failure", "--no-shrink", "--request-timeout", "60",
         "--generation-database", "none", "--suppress-health-check", "all", "--warnings", "off", "--max-failures", "60"],
        env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    answers = collections.Counter(line.split(" ", 1)[0] for line in log.read_text(encoding="utf-8").splitlines()) \
        if log.exists() else {}
    return done, answers


def main():
    http = api.chain("fuzz", 5)
    with tempfile.TemporaryDirectory(prefix="sluice-fuzz-") as folder:
        (pathlib.Path(folder) / "schemathesis.toml").write_text("", encoding="ascii")
        done, answers = run(http, pathlib.Path(folder))
    total = sum(answers.values())
    print(f"# {total} answers: " + ", ".join(f"{status} {count}" for status, count in sorted(answers.items())))
    if done.returncode != 0:
        for line in done.stdout.splitlines():
            print("# " + line[:300])
    points.ok(done.returncode == 0, f"nothing is wrong with any answer (seed {SEED})", f"status {done.returncode}")
    points.ok(total >= REQUESTS, f"at least {REQUESTS} requests", total)
    points.ok(sum(count for status, count in answers.items() if status.startswith("2")) * 20 >= total,
              "of twenty answers one is good", answers)
    status, _ = http.call("GET", api.PUBLIC + "/health")
    points.equal("the server lives", 200, status)
    points.finish()


main()
