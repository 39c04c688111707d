# SPDX-License-Identifier: Apache-2.0
"""The contracts of the API's makers, which are read from a folder beside the checkout: operations, tiers, schemas of answers."""
import csv
import json
import pathlib
import re

HTTP_METHODS = ("get", "post", "put", "patch", "delete")


def folder():
    """Where the contracts are, or None: ../shared/contract beside the checkout, or SLUICE_CONTRACT."""
    import os
    if "SLUICE_CONTRACT" in os.environ:
        places = [pathlib.Path(os.environ["SLUICE_CONTRACT"])]
    else:
        top = pathlib.Path(__file__).resolve().parents[2]
        places = [parent / "shared/contract" for parent in top.parents]
    return next((place for place in places if (place / "endpoint_tiers.tsv").exists()), None)


def key(method, path):
    """Parameters have names of their own in each description: 'GET /x/{}'."""
    return f"{method.upper()} {re.sub(r'{[^}]*}', '{}', path)}"


def tiers(place):
    """{key: (api, tier)} of every operation that clients may know."""
    with open(place / "endpoint_tiers.tsv", encoding="utf-8") as file:
        return {key(row["method"], row["path"]): (row["api"], row["tier"]) for row in csv.DictReader(file, delimiter="\t")}


def operations(description):
    return {key(method, path): operation for path, item in description["paths"].items()
            for method, operation in item.items() if method in HTTP_METHODS}


class Contract:
    """Both descriptions as one: operations by key, and the schema of an answer with everything it refers to."""

    def __init__(self, place):
        self.tiers, self.operations, self.home = tiers(place), {}, {}
        for name in ("public", "config"):
            description = json.loads((place / f"{name}_contract.json").read_text(encoding="utf-8"))
            adapt(description)
            for one, operation in operations(description).items():
                self.operations[one], self.home[one] = operation, description
        self.patterns = [(one.split(" ", 1)[0], self.pattern(one.split(" ", 1)[1]), one) for one in self.operations]
        self.patterns.sort(key=lambda row: row[2].count("{}"))  # /x/token before /x/{}

    @staticmethod
    def pattern(path):
        return re.compile("".join("[^/]+" if part == "{}" else re.escape(part) for part in re.split(r"({})", path)) + "/?")

    def find(self, method, path):
        """The key of what was asked for; None: not of the contract."""
        path = path.split("?", 1)[0]
        return next((one for verb, pattern, one in self.patterns if verb == method and pattern.fullmatch(path)), None)

    def statuses(self, one):
        return {int(status) for status in self.operations[one]["responses"] if status.isdigit()}

    def schema(self, one, status):
        """Of the JSON answer: (schema, root for its references); (None, root) when it has no body."""
        root = self.home[one]
        response = self.operations[one]["responses"].get(str(status), {})
        if "$ref" in response:
            response = root["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
        return response.get("content", {}).get("application/json", {}).get("schema"), root


def spelt(name, properties):
    """A required member in the spelling of the schema's own properties."""
    camel = re.sub(r"_(\w)", lambda found: found[1].upper(), name)
    return camel if name not in properties and camel in properties else name


def adapt(node):
    """OpenAPI 3.0's own words, in those of JSON Schema; and what can be of no answer is not required (json_schema of AirbyteStream)."""
    if isinstance(node, dict):
        if node.get("additionalProperties") is False and "required" in node:
            node["required"] = [name for name in node["required"] if name in node["properties"]] or ["name"]
        # ConnectionEvent requires 'created_at' and has 'createdAt', which is what servers and clients mean.
        properties = node.get("properties")
        if isinstance(properties, dict) and isinstance(node.get("required"), list):
            node["required"] = [spelt(name, properties) for name in node["required"]]
        if node.get("nullable") is True and "type" in node:
            node["type"] = [node["type"], "null"]
            if "enum" in node and None not in node["enum"]:
                node["enum"] = node["enum"] + [None]
        # An answer may be of two shapes at once, so that each client finds its own: logs with events and lines.
        if isinstance(node.get("oneOf"), list):
            node["anyOf"] = node.pop("oneOf")
        if isinstance(node.get("format"), str):
            node["format"] = node["format"].lower()
    for value in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        adapt(value)
