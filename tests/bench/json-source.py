# SPDX-License-Identifier: Apache-2.0
"""json-source.py RECORDS [--size]: a source that makes its records as connectors in Python do, line by line; a state per 10,000.
--size: how many bytes it would be."""
import json
import sys

count, out, size = int(sys.argv[1]), sys.stdout.buffer, 0
names = ("Ana Mar\u00eda", "J\u00fcrgen", "O'Neill", '"Bob"')
dumps = json.JSONEncoder(separators=(",", ":")).encode
for i in range(count):
    data = {"id": i, "created_at": f"2026-08-01T12:{i % 60:02}:00Z", "name": names[i % 4], "email": f"user{i}@example.com",
            "age": i % 90, "height": "1.80", "title": None, "active": i % 2 == 0, "balance": i * 0.25,
            "note": "prefers e-mail\nno calls", "address": {"street_number": str(i % 999), "street_name": "Long Meadow Lane",
                                                             "city": "Springfield", "postal_code": f"{i % 99999:05}",
                                                             "country_code": "DE"}, "gender": "other"}
    line = dumps({"type": "RECORD", "record": {"stream": "users", "data": data, "emitted_at": 1700000000000 + i}}).encode() + b"\n"
    if i % 10000 == 9999:
        line += dumps({"type": "STATE", "state": {"type": "STREAM", "stream": {
            "stream_descriptor": {"name": "users"}, "stream_state": {"cursor": i}}}}).encode() + b"\n"
    if "--size" in sys.argv:
        size += len(line)
    else:
        out.write(line)
out.flush()
if "--size" in sys.argv:
    print(size)
