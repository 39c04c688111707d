# SPDX-License-Identifier: Apache-2.0
"""Test points of a client, as lines 'ok - WHAT' and 'not ok - WHAT'; whoever runs the client numbers them."""
import contextlib
import sys
import time
import traceback

failed = 0


def point(good, what, diagnostics=""):
    global failed
    failed += not good
    print(f"{'ok' if good else 'not ok'} - {what}", flush=True)
    if not good:
        for line in str(diagnostics).splitlines() or ["no diagnostics"]:
            print(f"# {line[:600]}", flush=True)


def ok(good, what, diagnostics=""):
    point(bool(good), what, diagnostics)


def equal(what, expected, found):
    point(expected == found, what, f"expected: {expected!r}\nfound:    {found!r}")


def skip(what, why):
    print(f"ok - {what} # SKIP {why}", flush=True)


@contextlib.contextmanager
def case(what):
    """A point that fails when its body raises; what the body itself compares are points of their own."""
    try:
        yield
    except Exception:  # whatever a client of others throws
        point(False, what, traceback.format_exc()[-3000:])
    else:
        point(True, what)


def cases(http, functions, needs):
    """Each function in a case of its own, with its time; needs: {function: operations} that are to be served for it."""
    for one in functions:
        missing = http.missing(*needs.get(one, ()))
        if missing:
            skip(one.__name__, "not served: " + ", ".join(missing))
            continue
        begun = time.monotonic()
        with case(f"{one.__name__}: to its end"):
            one(http)
        print(f"# {one.__name__}: {time.monotonic() - begun:.1f} s", flush=True)


def wait_for(what, look, seconds=120):
    """look() until it is true; returns what it said last."""
    end = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.2)
    return found


def finish():
    sys.exit(1 if failed else 0)
