# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Drives whole syncs in a box. Every test here sources this file and begins with chain_up.
#
#   create_source NAME DEFINITION CONFIG        → id          create_destination likewise
#   discover SOURCE                             → the source's catalog
#   connect NAME SOURCE DESTINATION MODE [STREAMS [COLUMN=VALUE…]]   → id
#       MODE: full_refresh_append, full_refresh_overwrite, incremental_append, incremental_append_dedup
#       STREAMS: names separated by commas, all when empty
#   sync CONNECTION                             → job         wait_job JOB [SECONDS] → its final status
#   run CONNECTION [SECONDS]                    sync and wait_job: leaves JOB and STATUS

SOURCE=${SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
BUILD=${BUILD:-$SOURCE/build}
# shellcheck source=tests/lib/suite.sh
. "$SOURCE/tests/lib/suite.sh"
WORKSPACE=

# Short spans, so that what a failure costs is seconds; SETTINGS of a test are lines of sluice.conf.
chain_settings() {
    cat <<END
[Scheduler]
RetryBackoffMinSec=1s
LeaseSec=5s
[Workload]
LeaseSec=10s
HeartbeatSec=1s
[Orchestrator]
CommitSec=200ms
[Launcher]
PollSec=5s
${1:-}
END
}

chain_up() {
    suite_require
    trap chain_down EXIT
    SUITE_OVERLAY=$SUITE_DIR/overlay
    mkdir -p "$SUITE_OVERLAY/etc/sluice/sluice.conf.d"
    chain_settings "${1:-}" >"$SUITE_OVERLAY/etc/sluice/sluice.conf.d/50-e2e.conf"
    suite_up || exit 1
    ok "sluice.target is up" suite_start 60
    ((TAP_FAILED == 0)) || { chain_tell; exit 1; }
    WORKSPACE=$(suite_psql -c 'select workspace_id from workspace')
}

chain_down() {
    ((TAP_FAILED == 0)) || chain_tell
    suite_down
}

# What somebody wants to read who was not there.
chain_tell() {
    echo "# --- what the journal says"
    suite_journal -b -p info -n "${CHAIN_TELL:-150}" -o short-precise -u 'sluice*' 2>&1 | sed 's/^/# /'
    echo "# --- jobs and workloads"
    suite_psql -c "select job_id, config_type, status, failure from job order by 1 desc limit 5" \
        -c "select job_id, attempt_number, status, failure_summary from attempt order by 1 desc, 2 desc limit 5" \
        -c "select workload_id, status, termination_source, termination_reason from workload order by created_at desc limit 5" \
        2>&1 | sed 's/^/# /'
}

# A connector of the exec runtime: script-connector, as source and as destination.
install_script() {
    suite_sh install -D -m 0755 /dev/stdin /opt/e2e/script-connector <"$SOURCE/tests/e2e/script-connector"
    suite_psql <<END
insert into actor_definition (definition_id, name, actor_type, runtime, command, docker_repository, docker_image_tag, spec,
    limits, custom, created_at, updated_at)
select gen_random_uuid(), 'script', type, 'exec', '["/opt/e2e/script-connector"]', 'e2e/script', 'dev',
    \$q\$$(suite_sh /opt/e2e/script-connector spec | /usr/bin/python3 -c '
import json, sys
print(json.dumps(json.load(sys.stdin)["spec"]))')\$q\$, '{"writable": ["/var/lib/sluice/e2e-script"]}', true, now(), now()
from unnest('{source,destination}'::text[]) type;
END
}

create_actor() { # TYPE NAME DEFINITION CONFIG
    local id
    id=$(</proc/sys/kernel/random/uuid)
    suite_psql <<END >&2 || return 1
insert into actor (actor_id, workspace_id, definition_id, actor_type, name, configuration, created_at, updated_at)
select '$id', '$WORKSPACE', definition_id, actor_type, '$2', \$q\$$4\$q\$, now(), now()
from actor_definition where actor_type = '$1' and (name = '$3' or docker_repository = 'sluice/$1-$3');
END
    echo "$id"
}
create_source() {
    create_actor source "$@"
}
create_destination() {
    create_actor destination "$@"
}

job_of_actor() { # TYPE ACTOR
    suite_psql <<END
with j as (
    insert into job (config_type, scope, workspace_id, input, created_at, updated_at)
    values ('$1', '$2', '$WORKSPACE', '{"actorId": "$2"}', now(), now()) returning job_id),
a as (
    insert into attempt (job_id, attempt_number, log_path, created_at, updated_at)
    select job_id, 0, job_id || '/0.ndjson', now(), now() from j),
t as (
    insert into task (kind, job_id, attempt_number, run_at, created_at)
    select 'attempt_start', job_id, 0, now(), now() from j)
select job_id from j;
notify sluice_task;
END
}

discover() {
    local job status
    job=$(job_of_actor discover_schema "$1")
    status=$(wait_job "$job" 60)
    [ "$status" = succeeded ] || { echo "discover: $status" >&2; return 1; }
    suite_psql -c "select catalog from catalog where actor_id = '$1' order by created_at desc limit 1"
}

# stdin: a catalog; stdout: the configured one. The cursor and the key are the source's own.
configure() { # MODE STREAMS
    /usr/bin/python3 -c '
import json, sys
mode, wanted = sys.argv[1], set(filter(None, sys.argv[2].split(",")))
sync, destination = mode.rsplit("_", 1) if not mode.endswith("append_dedup") else (mode[:-13], "append_dedup")
print(json.dumps({"streams": [
    {"stream": s, "sync_mode": sync, "destination_sync_mode": destination,
     "cursor_field": s.get("default_cursor_field", []) if sync == "incremental" else [],
     "primary_key": s.get("source_defined_primary_key", [])}
    for s in json.load(sys.stdin)["streams"] if not wanted or s["name"] in wanted]}))' "$1" "$2"
}

connect() { # NAME SOURCE DESTINATION MODE [STREAMS [COLUMN=VALUE…]]
    local id catalog setting columns='' values=''
    id=$(</proc/sys/kernel/random/uuid)
    catalog=$(discover "$2" | configure "$4" "${5:-}") || return 1
    for setting in "${@:6}"; do
        columns+=", ${setting%%=*}" values+=", \$q\$${setting#*=}\$q\$"
    done
    suite_psql <<END >&2 || return 1
insert into connection (connection_id, workspace_id, name, source_id, destination_id, catalog, created_at, updated_at$columns)
values ('$id', '$WORKSPACE', '$1', '$2', '$3', \$q\$$catalog\$q\$, now(), now()$values);
notify sluice_schedule;
END
    echo "$id"
}

sync() {
    suite_sh busctl call org.sluice.Scheduler1 /org/sluice/Scheduler1 org.sluice.Scheduler1 TriggerSync 'sa{sv}' "$1" 0 |
        sed -n 's/^x //p'
}

job_status() {
    suite_psql -c "select status from job where job_id = $1" 2>/dev/null
}

wait_job() {
    local end=$((SECONDS + ${2:-60})) status=
    while ((SECONDS < end)); do
        status=$(job_status "$1")
        case $status in succeeded | failed | cancelled) break ;; esac
        sleep 0.1
    done
    echo "$status"
}

# shellcheck disable=SC2034 # STATUS is for the tests
run() {
    JOB=$(sync "$1")
    STATUS=$(wait_job "$JOB" "${2:-60}")
}

# --- in the middle of a sync ----------------------------------------------------------------------

# The id in the names of the units of a job's newest workload.
units_of() { # JOB
    suite_psql -c "select replace(auto_id::text, '-', '') from workload where job_id = $1 order by attempt_number desc limit 1"
}

has_committed() { # JOB
    [ "$(suite_psql -c "select exists (select from attempt_stats where job_id = $1 and records_committed > 0)")" = t ]
}

# Starts a sync and stops its source's process in the middle, some records being committed: leaves JOB and ID.
# The source must have enough to say; what a destination has and is not sent more it commits by itself.
run_to_the_middle() { # CONNECTION PROCESS
    local i
    JOB=$(sync "$1") || return 1
    # shellcheck disable=SC2016
    SOURCE_PID=$(suite_sh timeout 30 sh -c 'until pid=$(pgrep -x "$1") && kill -STOP "$pid"; do sleep 0.01; done; echo "$pid"' \
        sh "$2") || return 1
    ID=$(units_of "$JOB")
    for ((i = 0; i < 20; i++)); do
        suite_wait 3 has_committed "$JOB" && return
        suite_sh sh -c "kill -CONT $SOURCE_PID && sleep 0.01 && kill -STOP $SOURCE_PID" || return 1
    done
    return 1
}

# The source goes on, if it still lives.
go_on() {
    suite_sh kill -CONT "$SOURCE_PID" 2>/dev/null
    true
}

# A connector's own process: the child of its unit's sluice-init.
connector_pid() { # ROLE
    suite_sh pgrep -P "$(suite_sh systemctl show -P MainPID "sluice-$1-$ID.service")"
}

# --- the warehouse --------------------------------------------------------------------------------

# Configuration of a destination there.
warehouse() {
    echo '{"host": "127.0.0.1", "port": '"$SUITE_WAREHOUSE_PORT"', "database": "warehouse", "schema": "public",
        "username": "warehouse", "password": "warehouse", "ssl_mode": {"mode": "disable"}}'
}

rows_of() { # TABLE [CONDITION]
    suite_warehouse_psql -c "select count(*) from $1 where ${2:-true}"
}

# Schema 'expected' gets the messages that a source itself prints, so that tables can be compared with them. The source runs
# in the box by hand: CONFIG and catalog go in as files.
expect_of() { # PROGRAM CONFIG [STREAM]
    suite_sh sh -ec '
        cd "$(mktemp -d)"
        echo "$2" >config.json
        connector=/usr/lib/sluice/connectors/$1
        $connector discover --config config.json | python3 -c "$3" "$5" >catalog.json
        $connector read --config config.json --catalog catalog.json | grep "^{\"type\":\"RECORD\"" >records
        export PGPASSWORD=warehouse PGOPTIONS="-c client_min_messages=warning"
        psql -X -q -h 127.0.0.1 -p "$4" -U warehouse -d warehouse -c "drop schema if exists expected cascade" \
            -c "create schema expected" -c "create table expected.message (message jsonb)" \
            -c "\\copy expected.message from records (format csv, delimiter e'"'\\x02'"', quote e'"'\\x01'"')"' \
        sh "$1" "$2" 'import json, sys
print(json.dumps({"streams": [{"stream": s, "sync_mode": "full_refresh", "destination_sync_mode": "append"}
    for line in sys.stdin for s in (json.loads(line).get("catalog") or {"streams": []})["streams"]
    if sys.argv[1] in ("", s["name"])]}))' "$SUITE_WAREHOUSE_PORT" "${3:-}"
}

# How many rows of TABLE are not what the source said, and the other way round; numbers, times and JSON compare by value.
differences() { # TABLE STREAM
    suite_warehouse_psql <<END
select string_agg(quote_ident(attname), ', ' order by attnum) as columns
from pg_attribute
where attrelid = '$1'::regclass and attnum > 0 and not attisdropped and attname not like '\\_airbyte\\_%' \gset
set client_min_messages = warning;
create table if not exists expected.$2 as
    select (jsonb_populate_record(null::$1, message -> 'record' -> 'data')).*
    from expected.message where message -> 'record' ->> 'stream' = '$2';
select count(*) from (
    (select :columns from $1 except all select :columns from expected.$2)
    union all
    (select :columns from expected.$2 except all select :columns from $1)) d;
END
}

types_of() { # SCHEMA TABLE: its columns but ours
    suite_warehouse_psql -F ' ' <<END
select string_agg(column_name || ' ' || udt_name, ', ' order by ordinal_position)
from information_schema.columns
where table_schema = '$1' and table_name = '$2' and column_name not like '\_airbyte\_%';
END
}

# --- what a job left ------------------------------------------------------------------------------

failure_of() { # JOB: what went wrong last
    suite_psql -c "select failure -> 'failures' -> 0 ->> 'externalMessage' from job where job_id = $1"
}

records_of() { # JOB: emitted and committed records of all attempts
    suite_psql -F ' ' -c "select sum(records_emitted), sum(records_committed) from attempt_stats where job_id = $1 and stream = ''"
}

# Nothing of any workload may be left: no unit, no row in motion, no lease, no folder of sockets.
leftovers() {
    suite_sh systemctl list-units --plain --no-legend --all 'sluice-source-*' 'sluice-destination-*' 'sluice-orchestrator-*' \
        'sluice-workloads-*' | awk '{ print $1, $3, $4 }'
    suite_sh systemctl list-units --plain --no-legend --state=failed 'sluice*' | awk '{ print $1, "failed" }'
    suite_sh find /run/sluice/workloads -mindepth 1 -maxdepth 1
    suite_psql -c "select workload_id, status from workload where finished_at is null" \
        -c "select 'lease', workload_id from workload_lease" -c "select 'queued', workload_id from workload_queue" \
        -c "select 'task', kind, job_id from task" -c "select 'attempt', job_id from attempt where status = 'running'"
}

nothing_is_left() {
    suite_wait 20 sh_is_empty leftovers
    is "$1: nothing is left" "" "$(leftovers)"
}

sh_is_empty() {
    [ -z "$("$@")" ]
}
