#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Usage: orchestrator-test.py ORCHESTRATOR SLUICE-INIT [CASE…]. TAP. A case may be a pattern. Cases run four at a time: most of them wait."""
import concurrent.futures
import fnmatch
import os
import sys
import traceback

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402
import bus_cases  # noqa: E402
import golden_cases  # noqa: E402
import job_cases  # noqa: E402
import list_cases  # noqa: E402
import look_cases  # noqa: E402
import mapper_cases  # noqa: E402
import memory_cases  # noqa: E402
import socket_cases  # noqa: E402
import sync_cases  # noqa: E402


def run_case(function):
    try:
        result = function()
        if isinstance(result, str):
            return None, result
        result.close()
        return True, ""
    except Exception:
        return False, traceback.format_exc()
    finally:
        harness.close_all()


def main():
    harness.ORCHESTRATOR, harness.INIT = (os.path.abspath(path) for path in sys.argv[1:3])
    modules = (sync_cases, list_cases, look_cases, golden_cases, mapper_cases, memory_cases, job_cases, bus_cases, socket_cases)
    cases = [(name, value) for module in modules for name, value in sorted(vars(module).items())
             if name.startswith("case_") and (len(sys.argv) < 4 or any(fnmatch.fnmatchcase(name[5:], wanted) for wanted in sys.argv[3:]))]
    print(f"1..{len(cases)}", flush=True)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        futures = [(name, pool.submit(run_case, function)) for name, function in cases]
        for number, (name, future) in enumerate(futures, 1):
            good, text = future.result()
            failed += good is False
            for line in text.splitlines() if good is False else []:
                print("# " + line)
            print(f"{'not ' if good is False else ''}ok {number} {name[5:]}{' # SKIP ' + text if good is None else ''}", flush=True)
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
