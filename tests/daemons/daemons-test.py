#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""daemons-test.py BOOTLOADER SCHEDULER WORKER CRON MIGRATIONS, under with-postgres. TAP.

The real daemons of the control plane on a message bus and a PostgreSQL of their own, without systemd: what they answer on
the bus, who leads, what they do with a database that is wrong or gone."""
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import uuid

import dbus

BOOTLOADER, SCHEDULER, WORKER, CRON, MIGRATIONS = sys.argv[1:]
WORKSPACE = "00000000-0000-4000-8000-000000000001"
TESTS = []
BUS_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:dir=%s</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*" eavesdrop="false"/>
<allow receive_sender="*"/></policy></busconfig>"""


def test(function):
    TESTS.append(function)
    return function


def contains(text, *parts):
    for part in parts:
        assert part in text, f"'{part}' is not in:\n{text}"


def equal(got, wanted):
    assert got == wanted, f"got {got!r}, wanted {wanted!r}"


def until(what, condition, seconds=60):
    end = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        assert time.monotonic() < end, f"did not come about: {what}"
        time.sleep(0.05)


class World:
    """A bus, a fresh database, a configuration, and the processes that a test starts."""

    def __init__(self, number):
        self.folder = tempfile.mkdtemp(prefix="sl-daemons-")
        os.chmod(self.folder, 0o755)
        self.processes = []
        self.database = f"daemons{number}"
        subprocess.run(["createdb", self.database], check=True)
        self.conf = os.path.join(self.folder, "sluice.conf")
        self.configure()
        config = os.path.join(self.folder, "bus.conf")
        with open(config, "w") as file:
            file.write(BUS_CONFIG % self.folder)
        self.dbus = subprocess.Popen(["dbus-daemon", f"--config-file={config}", "--nofork", "--nopidfile", "--print-address"],
                                     stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.address = self.dbus.stdout.readline().strip()
        self.env = {**os.environ, "SLUICE_CONF": self.conf, "DBUS_SESSION_BUS_ADDRESS": self.address, "SLUICE_BUS": "session",
                    "LC_ALL": "C.UTF-8"}
        self.bus = dbus.bus.BusConnection(self.address)

    def configure(self, more=""):
        with open(self.conf, "w") as file:
            file.write(f"[Database]\nUrl=postgresql:///{self.database}\n[Scheduler]\nLeaseSec=3s\n{more}")

    def close(self):
        for process in self.processes:
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()
        self.bus.close()
        self.dbus.kill()
        self.dbus.wait()
        subprocess.run(["rm", "-rf", self.folder], check=True)

    def sql(self, text):
        done = subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", self.database, "-c", text],
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def run(self, *argv, status=0, **env):
        done = subprocess.run(argv, env={**self.env, **env}, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == status, f"{argv}: {done.returncode} is not {status}:\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def start(self, *argv, **env):
        log = open(os.path.join(self.folder, f"log{len(self.processes)}"), "w+")
        process = subprocess.Popen(argv, env={**self.env, **env}, stdout=log, stderr=subprocess.STDOUT)
        process.log = lambda: open(log.name).read()
        self.processes.append(process)
        return process

    def boot(self):
        return self.run(BOOTLOADER, f"--migrations={MIGRATIONS}", f"--definitions={self.folder}")

    def object(self, name, path=None):
        """The object, when it is there and answers."""
        try:
            proxy = self.bus.get_object(name, path or "/" + name.replace(".", "/"), introspect=False)
            dbus.Interface(proxy, "org.freedesktop.DBus.Peer").Ping()
            return proxy
        except dbus.DBusException:
            return None

    def wait(self, name, path=None):
        return until(f"{name} on the bus", lambda: self.object(name, path))

    def call(self, name, method, *args, path=None):
        """The answer, or the error as 'NAME: text'."""
        proxy = self.bus.get_object(name, path or "/" + name.replace(".", "/"), introspect=False)
        try:
            return dbus.Interface(proxy, re.sub(r"\.i\d+$", "", name)).get_dbus_method(method)(*args)
        except dbus.DBusException as error:
            return f"{error.get_dbus_name()}: {error.get_dbus_message()}"

    def get(self, name, key, path=None):
        proxy = self.bus.get_object(name, path or "/" + name.replace(".", "/"), introspect=False)
        return dbus.Interface(proxy, "org.freedesktop.DBus.Properties").Get(re.sub(r"\.i\d+$", "", name), key)

    def add_connection(self, status="active", schedule="manual", interval="null"):
        """Source, destination and connection as the API would have written them; the connection's id."""
        ids = [str(uuid.uuid4()) for _ in range(5)]
        workspace = self.sql("select workspace_id from workspace limit 1")
        for kind, definition, actor in (("source", ids[0], ids[2]), ("destination", ids[1], ids[3])):
            self.sql(f"insert into actor_definition (definition_id, name, actor_type, runtime, command, docker_repository,"
                     f" docker_image_tag, spec, created_at, updated_at) values ('{definition}', 'x', '{kind}', 'native',"
                     f" '[\"x\"]', 'x/{definition}', '1', '{{}}', now(), now())")
            self.sql(f"insert into actor (actor_id, workspace_id, definition_id, actor_type, name, configuration, created_at,"
                     f" updated_at) values ('{actor}', '{workspace}', '{definition}', '{kind}', 'x', '{{}}', now(), now())")
        self.sql(f"insert into connection (connection_id, workspace_id, name, source_id, destination_id, status, catalog,"
                 f" schedule_type, basic_interval_sec, created_at, updated_at) values ('{ids[4]}', '{workspace}', 'c',"
                 f" '{ids[2]}', '{ids[3]}', '{status}', '{{\"streams\":[]}}', '{schedule}', {interval}, now(), now())")
        return ids[4]


NO_OPTIONS = dbus.Dictionary({}, signature="sv")

# --- bootloader ----------------------------------------------------------------------------------


@test
def the_bootloader_runs_as_often_as_it_likes(w):
    w.boot()
    n = int(w.sql("select count(*) from schema_migration"))
    assert n == len([f for f in os.listdir(MIGRATIONS) if f.endswith(".sql")]), n
    w.boot()
    equal(int(w.sql("select count(*) from schema_migration")), n)
    equal(w.sql("select count(*) from workspace"), "1")


@test
def two_bootloaders_at_once_are_fine(w):
    argv = (BOOTLOADER, f"--migrations={MIGRATIONS}", f"--definitions={w.folder}", "--no-bus")
    both = [w.start(*argv), w.start(*argv), w.start(*argv)]
    for process in both:
        assert process.wait(60) == 0, process.log()
    equal(w.sql("select count(*) from workspace"), "1")


@test
def the_first_link_is_told_once_and_never_by_the_status(w):
    argv = (BOOTLOADER, f"--migrations={MIGRATIONS}", f"--definitions={w.folder}", "--no-bus")
    three = [w.start(*argv), w.start(*argv), w.start(*argv)]
    for process in three:
        assert process.wait(60) == 0, process.log()
    told = "".join(process.log() for process in three)
    equal(told.count("/setup#token="), 1)
    token = told.split("/setup#token=", 1)[1][:64]
    equal(w.sql("select count(*) from setup_token"), "1")
    equal(w.sql(f"select count(*) from setup_token where token_hash = '{token}'"), "0")
    equal(w.sql(f"select count(*) from setup_token where token_hash = encode(sha256('{token}'), 'hex')"), "1")


@test
def the_bootloader_refuses_what_it_did_not_write(w):
    w.boot()
    w.sql("update schema_migration set sha256 = repeat('0', 64) where version = 1")
    contains(w.run(BOOTLOADER, f"--migrations={MIGRATIONS}", f"--definitions={w.folder}", status=1), "0001_create_schema.sql was applied with other content")


@test
def the_bootloader_refuses_a_newer_database(w):
    w.boot()
    w.sql("insert into schema_migration select 999, '0999_from_the_future.sql', sha256, applied_at from schema_migration where version = 1")
    contains(w.run(BOOTLOADER, f"--migrations={MIGRATIONS}", f"--definitions={w.folder}", status=1), "0999_from_the_future.sql", "install the newer Sluice")


@test
def a_bad_configuration_names_its_line(w):
    w.configure("[Server]\nIdelSec=1\n")
    for program in (BOOTLOADER, SCHEDULER, CRON):
        contains(w.run(program, "--check-config", status=1), "sluice.conf:6", "IdelSec")
    w.configure("[Server]\nIdleSec=soon\n")
    contains(w.run(SCHEDULER, "--check-config", status=1), "sluice.conf:6", "IdleSec", "soon")


# --- scheduler -----------------------------------------------------------------------------------

SCHEDULER1 = "org.sluice.Scheduler1"


def lead(w):
    process = w.start(SCHEDULER)
    w.wait(SCHEDULER1)
    until("it leads", lambda: w.get(SCHEDULER1, "State") == "leading")
    return process


@test
def the_scheduler_starts_syncs_on_demand(w):
    w.boot()
    good, idle = w.add_connection(), w.add_connection("inactive")
    lead(w)
    job = w.call(SCHEDULER1, "TriggerSync", good, NO_OPTIONS)
    equal(w.sql(f"select status || ' ' || config_type from job where job_id = {job}"), "pending sync")
    contains(w.call(SCHEDULER1, "TriggerSync", good, NO_OPTIONS), "org.sluice.Error.Conflict")
    contains(w.call(SCHEDULER1, "TriggerSync", idle, NO_OPTIONS), "org.sluice.Error.Conflict", "is not active")
    unknown = str(uuid.uuid4())
    contains(w.call(SCHEDULER1, "TriggerSync", unknown, NO_OPTIONS), "org.sluice.Error.NotFound", unknown)
    contains(w.call(SCHEDULER1, "TriggerSync", "x", NO_OPTIONS), "org.sluice.Error.")
    equal(w.call(SCHEDULER1, "Wake", NO_OPTIONS), None)
    equal(w.sql("select count(*) from job"), "1")


@test
def the_scheduler_runs_what_is_due(w):
    w.boot()
    connection = w.add_connection(schedule="basic", interval=3600)
    lead(w)
    until("the first run of an interval", lambda: w.sql(f"select count(*) from job where scope = '{connection}'") == "1")
    equal(w.sql("select is_scheduled from job"), "t")
    until("the run after it", lambda: w.sql("select next_run_at > now() + interval '50 min' from connection") == "t")
    assert w.get(SCHEDULER1, "NextRun") > 0


@test
def only_one_scheduler_leads(w):
    w.boot()
    first = lead(w)
    term = int(w.sql("select term from leader where name = 'scheduler'"))
    contains(w.run(SCHEDULER, status=1), "is taken: another one runs already")
    second = w.start(SCHEDULER, "--no-bus")
    time.sleep(1)
    equal(int(w.sql("select term from leader where name = 'scheduler'")), term)
    # The first one stops past its lease (LeaseSec=3s): the second takes over.
    first.send_signal(signal.SIGSTOP)
    until("another leader", lambda: int(w.sql("select term from leader where name = 'scheduler'")) > term)
    connection = w.add_connection(schedule="basic", interval=3600)
    w.sql("notify sluice_schedule")
    until("its work", lambda: w.sql(f"select count(*) from job where scope = '{connection}'") == "1")
    # It comes back, sees that it does not lead, and starts nothing twice.
    first.send_signal(signal.SIGCONT)
    until("the first one steps back", lambda: w.get(SCHEDULER1, "State") == "waiting")
    equal(w.sql("select count(*) from job"), "1")
    # A stop hands over at once.
    second.send_signal(signal.SIGTERM)
    equal(second.wait(30), 0)
    until("the first one leads again", lambda: w.get(SCHEDULER1, "State") == "leading")


@test
def the_scheduler_outlives_its_database_connections(w):
    w.boot()
    lead(w)
    for _ in range(3):
        w.sql(f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{w.database}'"
              " and pid <> pg_backend_pid()")
        time.sleep(0.2)
    connection = w.add_connection(schedule="basic", interval=3600)
    until("work goes on", lambda: w.sql(f"select count(*) from job where scope = '{connection}'") == "1")


# --- worker --------------------------------------------------------------------------------------

WORKER1, WORKER1_PATH = "org.sluice.Worker1.i1", "/org/sluice/Worker1"


@test
def a_worker_takes_steps_and_rests_when_told(w):
    w.boot()
    connections = [w.add_connection() for _ in range(3)]
    lead(w)
    w.start(WORKER, "1")
    w.wait(WORKER1, WORKER1_PATH)
    w.call(SCHEDULER1, "TriggerSync", connections[0], NO_OPTIONS)
    until("the first workload or its failure", lambda: w.sql("select count(*) from task") == "0")
    assert w.get(WORKER1, "Finished", WORKER1_PATH) >= 1
    equal(w.get(WORKER1, "Instance", WORKER1_PATH), "1")
    w.call(WORKER1, "Drain", NO_OPTIONS, path=WORKER1_PATH)
    until("it rests", lambda: w.get(WORKER1, "State", WORKER1_PATH) == "drained")
    w.call(SCHEDULER1, "TriggerSync", connections[1], NO_OPTIONS)
    time.sleep(1)
    equal(w.sql("select count(*) from task"), "1")
    w.call(WORKER1, "Resume", NO_OPTIONS, path=WORKER1_PATH)
    until("it goes on", lambda: w.sql("select count(*) from task") == "0")
    contains(w.run(WORKER, "1", status=1), "is taken: another one runs already")
    w.run(WORKER, status=2)


@test
def a_worker_that_is_killed_leaves_its_step_to_another(w):
    w.boot()
    lead(w)
    for i in range(20):
        w.add_connection()
    first = w.start(WORKER, "1")
    second = w.start(WORKER, "2")
    w.wait(WORKER1, WORKER1_PATH)
    for connection in w.sql("select connection_id from connection").split():
        w.call(SCHEDULER1, "TriggerSync", connection, NO_OPTIONS)
    first.kill()
    until("every step was taken", lambda: w.sql("select count(*) from task") == "0")
    equal(w.sql("select count(*) from attempt"), "20")
    equal(w.sql("select count(*) - count(distinct job_id) from workload"), "0")
    assert second.poll() is None


# --- cron ----------------------------------------------------------------------------------------

CRON1 = "org.sluice.Cron1"


@test
def duties_run_by_name_and_by_timer(w):
    w.boot()
    # As systemd gives it: one duty needs the master key.
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "sluice-master-key"), "wb") as file:
            file.write(os.urandom(32))
        run_every_duty(w, {"CREDENTIALS_DIRECTORY": folder})
    contains(w.run(CRON, "reseal-secrets", status=1), "sluice-master-key", "is missing")


def run_every_duty(w, env):
    w.start(CRON, **env)
    w.wait(CRON1)
    duties = [str(duty) for duty in w.get(CRON1, "Duties")]
    assert "stale-workloads" in duties and len(duties) >= 4, duties
    for duty in duties:
        answer = w.call(CRON1, "RunDuty", duty, NO_OPTIONS)
        assert not answer.startswith("org."), answer
        w.run(CRON, duty, **env)
    contains(w.call(CRON1, "RunDuty", "nonsense", NO_OPTIONS), "org.sluice.Error.NotFound", "nonsense")
    contains(w.run(CRON, "nonsense", status=1), "nonsense")
    contains(w.run(CRON, duties[0], duties[1], status=1), "one duty at a time")


@test
def a_duty_is_not_run_twice_at_once(w):
    w.boot()
    w.start(CRON)
    w.wait(CRON1)
    # The duty waits for a table that somebody else holds.
    holder = subprocess.Popen(["psql", "-Xq", "-d", w.database], stdin=subprocess.PIPE, text=True)
    w.processes.append(holder)
    holder.stdin.write("begin; lock table workload, job in access exclusive mode;\n")
    holder.stdin.flush()
    until("the lock", lambda: w.sql("select count(*) from pg_locks where mode = 'AccessExclusiveLock' and granted") != "0")
    proxy = w.bus.get_object(CRON1, "/org/sluice/Cron1", introspect=False)
    first = subprocess.Popen(["gdbus", "call", "--address", w.address, "--dest", CRON1, "--object-path", "/org/sluice/Cron1",
                              "--method", CRON1 + ".RunDuty", "finished-rows", "{}"], stdout=subprocess.PIPE, text=True)
    w.processes.append(first)
    until("it waits", lambda: w.sql("select count(*) from pg_locks where not granted") != "0")
    contains(w.call(CRON1, "RunDuty", "finished-rows", NO_OPTIONS), "org.sluice.Error.Busy")
    holder.stdin.write("rollback;\n")
    holder.stdin.flush()
    equal(first.wait(60), 0)
    assert not w.call(CRON1, "RunDuty", "finished-rows", NO_OPTIONS).startswith("org.")
    assert proxy


@test
def without_a_database_everything_waits_and_says_so(w):
    w.configure()
    with open(w.conf, "w") as file:
        file.write(f"[Database]\nUrl=postgresql:///x?host={w.folder}/nowhere\n")
    for argv in ((SCHEDULER, "--no-bus"), (WORKER, "--no-bus", "7"), (CRON, "--no-bus", "stale-workloads")):
        process = w.start(*argv)
        until("it says what it waits for", lambda p=process: "nowhere" in p.log())
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def main():
    os.environ.pop("PGDATABASE", None)
    print(f"1..{len(TESTS)}", flush=True)
    failed = 0
    for number, function in enumerate(TESTS, 1):
        world = World(number)
        try:
            function(world)
            print(f"ok {number} {function.__name__}", flush=True)
        except Exception as error:  # the suite goes on
            failed += 1
            print(f"not ok {number} {function.__name__}")
            for line in f"{type(error).__name__}: {error}".splitlines():
                print(f"# {line}")
            for process in world.processes:
                if hasattr(process, "log"):
                    print("\n".join(f"#   {line}" for line in process.log().splitlines()[-15:]), flush=True)
        finally:
            world.close()
    sys.exit(1 if failed else 0)


main()
