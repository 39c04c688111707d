# SPDX-License-Identifier: Apache-2.0
"""Records that go from pipe to pipe: many at once, with everything between them that must not, or not as it is."""
import re

from harness import Run, stream
from sync_cases import complete, golden

# A flood of plain records in large writes; what must not go on, and what must change, is strewn in; lines straddle every window.
FLOOD = r"""
import random
random.seed(%(seed)d)
def emit(line):
    global held, size
    held.append(line); size += len(line)
    if size > 300_000:
        data = b"".join(held); held = []; size = 0
        os.write(1, data[:-7]); os.write(1, data[-7:])
held, size = [], 0
real_write = os.write
def write_all(fd, data):
    while data:
        data = data[real_write(fd, data):]
os.write = write_all
for i in range(%(n)d):
    emit(b'{"type":"RECORD","record":{"stream":"%%s","data":{"id":%%d,"text":"%%s"},"emitted_at":1}}\n' %%
         ((b"s", b"t")[i %% 2], i, b"x" * random.randrange(300)))
    if i %% 997 == 0:
        emit(b'{"type":"LOG","log":{"level":"INFO","message":"note %%d"}}\n' %% i)
    if i %% 3001 == 0:
        emit(b"chatter %%d\n" %% i)
    if i %% %(states)d == 0:
        emit(b'{"type":"STATE","state":{"type":"STREAM","stream":{"stream_descriptor":{"name":"s"},"stream_state":{"at":%%d}}}}\n' %% i)
    if i == %(long)d:
        emit(b'{"type":"RECORD","record":{"stream":"s","data":{"id":-1,"text":"%%s"},"emitted_at":1}}\n' %% (b"y" * 3_000_000))
emit(b'{"type":"STATE","state":{"type":"STREAM","stream":{"stream_descriptor":{"name":"s"},"stream_state":{"at":"end"}}}}\n')
os.write(1, b"".join(held))
"""
SLOW_SINK = """
with open(HERE + "/received", "wb") as file:
    n = 0
    for line in sys.stdin.buffer:
        file.write(line)
        n += 1
        if n % 5000 == 0:
            time.sleep(0.05)
        if line.startswith(b'{"type":"STATE"'):
            out.write(line); out.flush()
"""


def flood(n=20_000, states=1000, long=7_000, seed=1, **more):
    return Run(source=FLOOD % {"n": n, "states": states, "long": long, "seed": seed}, streams=[stream("s"), stream("t")], **more)


def check(run, n=20_000, states=1000, long=1, prefix=b""):
    body = run.succeeded()
    lines = golden(run).splitlines(keepends=True)
    records = [line for line in lines if line.startswith(b'{"type":"RECORD"')]
    ids = [int(re.search(rb'"id":(-?\d+)', line)[1]) for line in records]
    assert [i for i in ids if i >= 0] == list(range(n)), "records are missing, doubled or out of order"
    assert len(ids) == n + long
    for i, line in zip(ids, records):
        name = b"t" if i % 2 == 1 and i > 0 else b"s"
        assert re.fullmatch(rb'\{"type":"RECORD","record":\{"stream":"%s","data":\{"id":%d,"text":"(x*|y{3000000})"\},"emitted_at":1\}\}\n'
                            % (prefix + name, i), line), line[:300]
    due = (n + states - 1) // states + 1
    got = [line for line in lines if line.startswith(b'{"type":"STATE"')]
    assert len(got) == due and all(b'"id":' in line and b'"sourceStats"' in line for line in got), got[:3]
    # A state stands behind the records that it covers.
    at = -1
    for line in lines:
        if line.startswith(b'{"type":"RECORD"'):
            found = int(re.search(rb'"id":(-?\d+)', line)[1])
            at = found if found >= 0 else at
        elif line.startswith(b'{"type":"STATE"') and b'"at":"end"' not in line:
            assert int(re.search(rb'"at":(\d+)', line)[1]) == at, (line, at)
    assert len(lines) == len(records) + len(got) + 2, [line for line in lines if line[:15] not in (b'{"type":"RECORD"', b'{"type":"STATE"')][:5]
    total = body["stats"]["total"]
    assert total["recordsEmitted"] == n + long, total
    assert run.states()[-1]["stream"]["stream_state"] == {"at": "end"}
    assert run.said("note 0") and run.said("chatter 0")
    return run


def case_look_flood():
    return check(flood().go())


def case_look_flood_into_a_slow_sink():
    return check(flood(n=40_000, seed=2, destination=SLOW_SINK).go(60), n=40_000)


def case_look_many_states():
    """So many that going from pipe to pipe does not pay: it is left, and tried again."""
    return check(flood(states=3, seed=3).go(60), states=3)


def case_look_renamed():
    return check(flood(seed=4, prefix="p_").go(), prefix=b"p_")


def case_look_sink_closes():
    run = flood(n=200_000, destination="""
n = 0
for line in sys.stdin.buffer:
    n += 1
    if n == 30_000:
        os.close(0)
        error("enough of it")
        sys.exit(1)
""").go(60)
    run.failed("enough of it", origin="destination")
    return run


def case_look_broken_record():
    """What was good before it is delivered, and nothing behind it."""
    run = Run(source="""
good = b'{"type":"RECORD","record":{"stream":"s","data":{"id":%d},"emitted_at":1}}\\n'
text = b"".join(good % i for i in range(20_000))
text += b'{"type":"RECORD","record":{"stream":"s","data":{"id":}\\n'
text += b"".join(good % i for i in range(20_000, 20_500))
while text:
    text = text[os.write(1, text):]
time.sleep(20)
""").go()
    run.failed("The source sent a broken record: ", origin="source")
    assert golden(run) == b"".join(b'{"type":"RECORD","record":{"stream":"s","data":{"id":%d},"emitted_at":1}}\n' % i for i in range(20_000))
    return run


def case_look_stolen():
    """A source that reads its own output: the sync fails, and does not hang."""
    run = Run(source="""
other = os.open("/proc/self/fd/1", os.O_RDONLY | os.O_NONBLOCK)
line = b'{"type":"RECORD","record":{"stream":"s","data":{"id":1},"emitted_at":1}}\\n'
for i in range(3000):
    data = line * 3000
    while data:
        data = data[os.write(1, data):]
    try:
        os.read(other, 100_000)
    except BlockingIOError:
        pass
""").go(60)
    name, body = run.end()
    assert name == "failure" and body["source"] == "source", (name, body)
    assert re.search("somebody else reads the source|broken record", str(body["output"]["failures"]), re.I), body
    return run
