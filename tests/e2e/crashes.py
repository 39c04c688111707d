#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""crashes.py SEED KILLS CONNECTION…: runs in the box, as root. Keeps every connection syncing, each job with some more records
than the one before, and kills -9 a random process of a random running source, destination or orchestrator, KILLS times. Then one
last job each, undisturbed. Prints what it did, and as its last line the number of records that every source has now."""
import glob
import os
import random
import re
import signal
import subprocess
import sys
import time

STEP = 4_000  # users, and as many purchases, that a job adds
ROLES = ("source", "destination", "orchestrator")
CGROUPS = {role: f"/sys/fs/cgroup/**/sluice-{role}-*.{'scope' if role == 'orchestrator' else 'service'}/cgroup.procs" for role in ROLES}
PSQL = ["setpriv", "--reuid=sluice-postgres", "--regid=sluice-postgres", "--init-groups", "psql", "-X", "-q", "-A", "-t", "-F", " ",
        "-h", "/run/sluice/postgres", "-U", "postgres", "-d", "sluice", "-c"]
DEADLINE = 900  # for a machine with much else to do


def sql(text):
    return subprocess.run(PSQL + [text], check=True, stdout=subprocess.PIPE, text=True).stdout.split("\n")[:-1]


class Connection:
    def __init__(self, name):
        self.name, self.count, self.job, self.jobs = name, 0, None, 0

    def start(self, count):
        """A job may be over before everybody knows: the next one is asked for until it is taken."""
        self.count = count
        sql(f"update actor set configuration = jsonb_set(configuration::jsonb, '{{count}}', '{count}')::text where name = 'sample-{self.name}'")
        for _ in range(200):
            done = subprocess.run(["sluicectl", "sync", self.name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            found = re.search(r"Started job (\d+)", done.stdout)
            if found:
                self.job, self.jobs = int(found[1]), self.jobs + 1
                return
            time.sleep(0.1)
        sys.exit(f"{self.name}: no job starts: {done.stdout}")


def statuses(connections):
    """The jobs that have ended."""
    jobs = ", ".join(str(c.job) for c in connections)
    return dict(line.split() for line in sql(f"select job_id, status from job where job_id in ({jobs})"))


def ripe_units():
    """Parts of the names of units whose sync has sent records already."""
    return sql("""select replace(w.auto_id::text, '-', '') from workload w join attempt_stats s using (job_id, attempt_number)
        where w.status = 'running' and s.stream = '' and s.records_emitted > 0""")


def pick_victim(chance):
    """A process of one unit: most often what the unit is for, sometimes the sluice-init that holds it. Every other time one whose
    sync is in its middle, if there is one: most of the time a sync is starting."""
    roles, ripe = list(ROLES), ripe_units() if chance.random() < 0.5 else []
    chance.shuffle(roles)
    for role in roles:
        units = sorted(glob.glob(CGROUPS[role], recursive=True))
        chance.shuffle(units)
        for unit in [u for u in units if any(word in u for word in ripe)] or units:
            try:
                with open(unit) as file:
                    pids = [int(line) for line in file]
            except (OSError, ValueError):
                continue
            if pids:
                return role, pids[-1] if chance.random() < 0.8 else chance.choice(pids)
    return None, None


def crash(connections, chance, kills):
    done, count = dict.fromkeys(ROLES, 0), STEP
    for connection in connections:
        connection.start(count)
    end, checked = time.monotonic() + DEADLINE, 0
    while sum(done.values()) < kills:
        if time.monotonic() > end:
            sys.exit(f"only {done} after {DEADLINE} s")
        time.sleep(chance.uniform(0.02, 0.3))
        role, pid = pick_victim(chance)
        try:
            if pid is not None:
                os.kill(pid, signal.SIGKILL)
                done[role] += 1
        except ProcessLookupError:
            pass
        if time.monotonic() - checked > 0.3:
            checked = time.monotonic()
            states = statuses(connections)
            for connection in connections:
                if states[str(connection.job)] == "failed":
                    sys.exit(f"{connection.name}: job {connection.job} has failed")
                if states[str(connection.job)] == "succeeded":
                    connection.start(connection.count + STEP)
    return done


def settle(connections):
    """The last job of each, in peace, up to the same number of records."""
    end, last = time.monotonic() + DEADLINE, max(c.count for c in connections) + STEP
    waiting = list(connections)
    while waiting:
        if time.monotonic() > end:
            sys.exit(f"{[(c.name, c.job) for c in waiting]} not finished after {DEADLINE} s")
        states = statuses(waiting)
        for connection in list(waiting):
            state = states[str(connection.job)]
            if state in ("failed", "cancelled"):
                sys.exit(f"{connection.name}: job {connection.job}: {state}")
            if state == "succeeded" and connection.count == last:
                waiting.remove(connection)
            elif state == "succeeded":
                connection.start(last)
        time.sleep(0.1)
    return last


def main():
    seed, kills = int(sys.argv[1]), int(sys.argv[2])
    connections, begun = [Connection(name) for name in sys.argv[3:]], time.monotonic()
    done = crash(connections, random.Random(seed), kills)
    print("killed", ", ".join(f"{done[role]} {role}s" for role in ROLES), f"in {time.monotonic() - begun:.0f} s;",
          ", ".join(f"{c.name}: {c.jobs} jobs" for c in connections), flush=True)
    last = settle(connections)
    print(f"settled after {time.monotonic() - begun:.0f} s")
    print(last)


if __name__ == "__main__":
    main()
