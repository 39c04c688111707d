# SPDX-License-Identifier: Apache-2.0
"""A destination that reads every line as JSON and looks into its record, and echoes states."""
import json
import sys

total, out = 0, sys.stdout.buffer
for line in sys.stdin.buffer:
    message = json.loads(line)
    if message["type"] == "RECORD":
        total += message["record"]["data"]["id"]
    elif message["type"] == "STATE":
        out.write(line)
        out.flush()
