# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Drives whole syncs in a box. Every test here sources this file and begins with chain_up.
#
#   create_source NAME CONNECTOR CONFIG         create_destination likewise; a connector without source- or destination-
#   connect NAME SOURCE DESTINATION MODE [OPTION…]   by their names; options of sluicectl connect
#       MODE: append, overwrite, incremental-append, append-dedup
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
    # shellcheck disable=SC2034 # for the tests
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

ctl() {
    suite_sh sluicectl "$@"
}

# A connector of the exec runtime: script-connector, as source-script and destination-script. What it keeps it keeps in the
# folder that its limits name.
install_script() {
    local type
    suite_sh install -D -m 0755 /dev/stdin /opt/e2e/script-connector <"$SOURCE/tests/e2e/script-connector"
    for type in source destination; do
        ctl -q connector install exec:/opt/e2e/script-connector --type=$type --name=$type-script || return 1
    done
    suite_psql -c "update actor_definition set limits = '{\"writable\": [\"/var/lib/sluice/e2e-script\"]}'
        where name = 'destination-script'"
}

create_source() { # NAME CONNECTOR CONFIG
    ctl -q source create "source-$2" "$1" --from=- <<<"$3"
}
create_destination() {
    ctl -q destination create "destination-$2" "$1" --from=- <<<"$3"
}

# A new configuration for a source that has none that is secret.
configure_source() { # NAME CONFIG
    suite_psql -c "update actor set configuration = \$q\$$2\$q\$ where name = '$1'"
}

connect() { # NAME SOURCE DESTINATION MODE [OPTION…]
    ctl -q connect "$2" "$3" --name="$1" --mode="$4" "${@:5}"
}

sync() {
    ctl sync "$1" | sed -n 's/^Started job \([0-9]*\) .*/\1/p'
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
