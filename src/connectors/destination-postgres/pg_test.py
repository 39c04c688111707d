# SPDX-License-Identifier: Apache-2.0
"""What the tests of the PostgreSQL connectors share: the server is the one that with-postgres started."""
import json
import os
import subprocess

from kit_test import state, status, stream


def config(**more):
    return {"host": os.environ["PGHOST"], "port": int(os.environ["PGPORT"]), "database": "postgres",
            "schema": "public", "username": "postgres", **more}


def psql(sql):
    """Rows of a query: lists of texts, None for NULL."""
    done = subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-F", "\x1f", "-R", "\x1d", "-P",
                           "null=\x1e", "-c", sql], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    text = done.stdout.removesuffix("\n")
    return [[None if v == "\x1e" else v for v in line.split("\x1f")] for line in text.split("\x1d")] if text else []


def column(sql):
    return [row[0] for row in psql(sql)]


def columns_of(table, schema="public"):
    """[(name, type, nullable)] in the table's order."""
    return [tuple(row) for row in psql(
        "select attname, format_type(atttypid, atttypmod), not attnotnull from pg_attribute where attrelid = "
        f"'{schema}.\"{table}\"'::regclass and attnum > 0 and not attisdropped order by attnum")]


def indexes_of(table, schema="public"):
    return {name: definition.split(" USING btree ")[1] for name, definition in psql(
        f"select indexname, indexdef from pg_indexes where schemaname = '{schema}' and tablename = '{table}'")}


def tables(schema="public"):
    return sorted(column(f"select tablename from pg_tables where schemaname = '{schema}'"))


def schema(**properties):
    """A JSON schema; a value may be a type's name or a schema."""
    return {"type": "object", "properties": {
        name: {"type": kind} if isinstance(kind, str) else kind for name, kind in properties.items()}}


def pg_stream(name, kind="append", generation=0, minimum=0, sync=1, **more):
    """A configured stream with ids; kind as the platform sends it to a destination with refreshes."""
    if "primary_key" in more:
        more["primary_key"] = [[field] for field in more["primary_key"]]
    return stream(name, mode=kind, generation_id=generation, minimum_generation_id=minimum, sync_id=sync, **more)


def complete(name, n=1, namespace=None):
    return [state(name, {"n": n}, namespace), status(name, "COMPLETE", namespace)]


def changes(table, field):
    """The entries of _airbyte_meta about one field, of all rows."""
    entries = [json.loads(text) for text in column(f"select _airbyte_meta->>'changes' from {table}")]
    return [(c["change"], c["reason"]) for row in entries for c in row if c["field"] == field]
