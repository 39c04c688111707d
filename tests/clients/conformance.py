#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""conformance.py OPENAPI LOG…: what was answered (recorder.py), against the contracts. OPENAPI is our own description.

Each operation that we serve and that the contract knows is a point: its answers have a status that the contract lists (or one that
any answer may have) and, where it is a good one, a body of the contract's schema. One that nobody has asked for yet is a point that
is skipped; those of tiers 1 and 2 are counted at the end, and above UNSEEN they are a failure."""
import collections
import json
import sys

import jsonschema

import contract

# Statuses that any operation may answer, and that the contract therefore does not list each time: who asks has no token or may not,
# nonsense in the request, a state that forbids it, an operation that we do not have yet.
ANY_STATUS = {400, 401, 403, 404, 408, 409, 415, 422, 423, 501, 503}
# How many served operations of tiers 1 and 2 the clients may leave alone: what is new may come before its request in client_rest.py.
UNSEEN = 10
# Where servers of this API do something else than its description says: (operation, status) -> why. They are known and wanted.
EXCEPTIONS = {
    ("GET /api/public/v1/health", 200): "a text, as the reference server sends it",
    ("GET /api/v1/openapi", 200): "a text in the contract, which names no shape of it",
    ("POST /api/v1/connections/apply_schema_changes", 200): "204 in the contract, with a body, which no 204 can have",
    ("POST /api/v1/applications/delete", 200): "the application, as the public API tells it; the contract has 200 and no body",
}
# Members that the contract requires and the reference server leaves out too: (operation, member).
LEFT_OUT = {("GET /api/v1/instance_configuration", "licenseStatus"), ("GET /api/v1/instance_configuration", "defaultWorkspaceId")}
# Served, but with no good answer: why.
NEVER_GOOD = {
    "POST /api/public/v1/sources/initiateOAuth": "501: there is no broker of OAuth client ids",
    "PUT /api/public/v1/workspaces/{}/oauthCredentials": "501, as in the reference's community product",
    "DELETE /api/public/v1/workspaces/{}/oauthCredentials/{}/{}": "501, as in the reference's community product",
    "PUT /api/public/v1/organizations/{}/oauthCredentials": "403: licensed in the reference",
    "DELETE /api/public/v1/organizations/{}/oauthCredentials/{}/{}": "403: licensed in the reference",
}


def kept(paths):
    for path in paths:
        with open(path, encoding="utf-8") as file:
            for line in file:
                yield json.loads(line)


def complaint(judge, answer):
    """Why the answer is not of the schema; None: it is."""
    try:
        body = json.loads(answer["response"] or "")
    except ValueError:
        return f"no JSON: {(answer['response'] or '')[:200]}"
    error = jsonschema.exceptions.best_match(judge.iter_errors(body))
    return error and f"{error.json_path}: {error.message[:300]}"


class Judge:
    def __init__(self, contracts):
        self.contracts, self.judges = contracts, {}
        self.complaints = collections.defaultdict(collections.Counter)
        self.good, self.seen = collections.Counter(), collections.Counter()

    def validator(self, one, status):
        if (one, status) not in self.judges:
            schema, root = self.contracts.schema(one, status)
            left_out = {member for operation, member in LEFT_OUT if operation == one}
            if left_out:
                schema = dict(root["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]])
                schema["required"] = [name for name in schema["required"] if name not in left_out]
            self.judges[one, status] = schema and jsonschema.Draft4Validator(
                schema, resolver=jsonschema.RefResolver("", root), format_checker=None)
        return self.judges[one, status]

    def look(self, answer):
        one = self.contracts.find(answer["method"], answer["path"])
        if one is None:
            return
        self.seen[one] += 1
        status, found = answer["status"], None
        if status >= 400:
            if status not in ANY_STATUS | self.contracts.statuses(one):
                found = f"status {status}: {(answer['response'] or '')[:200]}"
        elif (one, status) in EXCEPTIONS:
            self.good[one] += 1
        elif status not in self.contracts.statuses(one):
            found = f"status {status} instead of {sorted(self.contracts.statuses(one))}"
        else:
            self.good[one] += 1
            validator = self.validator(one, status)
            if validator is None and answer["response"]:
                found = f"a body that the contract does not have: {answer['response'][:200]}"
            elif validator is not None:
                found = complaint(validator, answer)
        if found:
            self.complaints[one][found] += 1


def main():
    place = contract.folder()
    if place is None:
        print("ok - conformance # SKIP the contracts are not here")
        return
    with open(sys.argv[1], encoding="utf-8") as file:
        served = set(contract.operations(json.load(file)))
    contracts = contract.Contract(place)
    judge, unseen, failed = Judge(contracts), [], 0
    for answer in kept(sys.argv[2:]):
        judge.look(answer)
    for one in sorted(served & set(contracts.operations)):
        api, tier = contracts.tiers[one]
        found = judge.complaints.get(one)
        if found:
            failed += 1
            print(f"not ok - {one}")
            for text, times in found.most_common(5):
                print(f"# {times} times: {text}")
        elif judge.good[one]:
            print(f"ok - {one} ({judge.seen[one]} answers)")
        else:
            print(f"ok - {one} # SKIP no good answer was seen")
            if tier in "12" and one not in NEVER_GOOD:
                unseen.append(f"{one} ({api} {tier})")
    failed += len(unseen) > UNSEEN
    print(f"{'ok' if len(unseen) <= UNSEEN else 'not ok'} - operations of tiers 1 and 2 that no client asked for: {len(unseen)}")
    for one in unseen:
        print(f"# {one}")
    sys.exit(1 if failed else 0)


main()
