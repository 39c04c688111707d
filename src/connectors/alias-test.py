#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""alias-test.py CATALOG: do the public connectors that ours stand in for take the same configurations? TAP.

CATALOG is a registry in the public shape. For each of its entries that one of ours names in metadata.json, configurations are made from
the public specification, one for each variant of each oneOf, and given to our specification. What is refused, and what ours does not
know, is in the table: a difference that is not there, or is no more, fails."""
import itertools
import json
import os
import sys

import jsonschema

# connector: what it does not know of the public one's properties; variants that it refuses
KNOWN = {
    # the catalog has the oldest shape of its configuration, ours the newest
    "destination-dev-null": ({"type"}, {"Silent"}),
    "destination-postgres": (set(), set()),
    "source-file": ({"provider.aws_access_key_id", "provider.aws_secret_access_key", "provider.host", "provider.password", "provider.port",
                     "provider.sas_token", "provider.service_account_json", "provider.shared_key", "provider.storage_account",
                     "provider.user", "provider.user_agent"},
                    # it reads files of this host
                    {"provider=HTTPS: Public Web", "provider=GCS: Google Cloud Storage", "provider=S3: Amazon Web Services",
                     "provider=AzBlob: Azure Blob Storage", "provider=SSH: Secure Shell", "provider=SCP: Secure copy protocol",
                     "provider=SFTP: Secure File Transfer Protocol"}),
    "source-sample": ({"records_per_sync"}, set()),
}
FOLDER = os.path.dirname(os.path.abspath(__file__))


def properties(schema, path=""):
    """Paths of all properties, those of variants among them."""
    found = set()
    for name, one in schema.get("properties", {}).items():
        found |= {path + name} | properties(one, path + name + ".")
    for variant in schema.get("oneOf", []):
        found |= properties(variant, path)
    return found


def samples(schema):
    """(what tells it from others, value): the required properties, and one value for each variant."""
    if "const" in schema:
        return [("", schema["const"])]
    if "oneOf" in schema:
        return [(variant.get("title", str(n)) + name, value) for n, variant in enumerate(schema["oneOf"])
                for name, value in samples({"type": "object", **variant})]
    if schema.get("type") == "object":
        names = [n for n in schema.get("properties", {}) if n in schema.get("required", []) or "oneOf" in schema["properties"][n]]
        choices = [[(name and f"{n}={name}", value) for name, value in samples(schema["properties"][n])] for n in names]
        # each variant once, not all combinations
        rows = [[c[min(i, len(c) - 1)] for c in choices] for i in range(max(map(len, choices), default=1))]
        return [(" ".join(filter(None, (name for name, _ in row))), dict(zip(names, (value for _, value in row)))) for row in rows]
    for word in ["default", "enum", "examples"]:
        if word in schema:
            return [("", schema[word] if word == "default" else schema[word][0])]
    return [("", {"integer": max(1, schema.get("minimum", 1)), "number": 1, "boolean": True, "array": []}.get(schema.get("type"), "x"))]


def compare(name, metadata, entry):
    theirs = entry["spec"]["connectionSpecification"]
    with open(os.path.join(FOLDER, name, "spec.json"), encoding="utf-8") as file:
        ours = json.load(file)["connectionSpecification"]
    validator = jsonschema.Draft7Validator(ours)
    refused = {}
    for what, value in samples(theirs):
        errors = [f"{'.'.join(map(str, e.absolute_path))}: {e.message}" for e in validator.iter_errors(value)]
        if errors:
            refused[what] = "; ".join(errors)
    return properties(theirs) - properties(ours), refused


def main():
    if not os.path.exists(sys.argv[1]):
        print("1..0 # SKIP there is no catalog of the public connectors here")
        return 0
    with open(sys.argv[1], encoding="utf-8") as file:
        catalog = json.load(file)
    entries = {e.get("sourceDefinitionId") or e.get("destinationDefinitionId"): e for e in catalog["sources"] + catalog["destinations"]}
    count, failed, seen = itertools.count(1), 0, set()

    def point(good, text, found=""):
        nonlocal failed
        failed += not good
        print(f"{'ok' if good else 'not ok'} {next(count)} - {text}" + ("" if good else f"\n# {found}"), flush=True)

    for name in sorted(os.listdir(FOLDER)):
        path = os.path.join(FOLDER, name, "metadata.json")
        if not os.path.exists(path):
            continue
        with open(path, encoding="utf-8") as file:
            metadata = json.load(file)
        for alias in metadata["aliases"]:
            entry = entries.get(alias)
            if entry is None:
                continue
            seen.add(name)
            unknown, refused = compare(name, metadata, entry)
            wanted = KNOWN.get(name, (set(), set()))
            point(entry["dockerRepository"] in metadata["aliasRepositories"], f"{name} stands in for {entry['dockerRepository']} by name, too",
                  metadata["aliasRepositories"])
            point(unknown == wanted[0], f"{name}: properties of the public one that it does not know", sorted(unknown ^ wanted[0]))
            point(set(refused) == wanted[1], f"{name}: configurations of the public one that it refuses", refused)
    point(seen == set(KNOWN), "every difference is of a connector that stands in for one", sorted(seen ^ set(KNOWN)))
    print(f"1..{next(count) - 1}")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
