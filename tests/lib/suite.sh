# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# A box with Sluice installed, for boot and e2e tests, the benchmarks and quickstart.
#
#   . tests/lib/suite.sh       needs SOURCE (top of the checkout) and BUILD (a build directory set up with --prefix=/usr)
#   suite_up                   installs BUILD into a new box (SUITE_DIR) and boots it; nothing of Sluice runs yet
#   suite_start                starts sluice.target and waits until its services are up
#   suite_sh COMMAND…          runs COMMAND in the box as root; suite_as USER COMMAND… as somebody else
#   suite_psql ARG…            psql in Sluice's own database, as its superuser
#   suite_warehouse            starts a PostgreSQL server in the box that stands for the customer's: 127.0.0.1, port
#                              $SUITE_WAREHOUSE_PORT; user, password and database 'warehouse'; suite_warehouse_psql ARG…;
#                              suite_warehouse_start starts it again after a reboot
#   suite_down                 keeps the journal in SUITE_LOGS, then ends the box and leaves nothing
#   plan, is, ok               TAP (tap.sh); suite_wait SECONDS COMMAND… until COMMAND succeeds
#
# SUITE_NETWORK=host gives the box the host's network (for package indexes) instead of a loopback of its own.

# shellcheck source=tests/lib/tap.sh
. "$SOURCE/tests/lib/tap.sh"

SUITE_DIR=${SUITE_DIR:-$(mktemp -d "${TMPDIR:-/tmp}/sluice-suite.XXXXXX")}
SUITE_LOGS=${SUITE_LOGS:-$BUILD/check-logs/${0##*/}}
SUITE_WAREHOUSE_PORT=${SUITE_WAREHOUSE_PORT:-5433}
export BOX_DIR=$SUITE_DIR/box

suite_box() {
    "$SOURCE/tools/box" "$@"
}

suite_sh() {
    suite_box sh "$@"
}

suite_as() {
    local user=$1
    shift
    # shellcheck disable=SC2016
    suite_box sh sh -c 'user=$1; shift; exec setpriv --reuid="$user" --regid="$(id -g "$user")" --init-groups "$@"' \
        sh "$user" "$@"
}

# Skips the whole test where it cannot run. A test calls it first.
suite_require() {
    ((EUID == 0)) || skip_all "needs root to boot a container"
    command -v systemd-nspawn >/dev/null || skip_all "needs systemd-container"
}

# What the package's maintainer scripts do on a real host; $1 is the root of the box.
suite_prepare() {
    systemd-sysusers --root="$1"
    SYSTEMD_OFFLINE=1 systemctl --root="$1" preset sluice.target sluice-{postgres,bootloader,scheduler,launcher}.service \
        sluice-{server,workload-api}.socket sluice-worker@.service \
        sluice-cron-notifications.path sluice-cron@{notifications,stale-workloads,job-logs,log-compression,finished-rows,expired-rows,database-statistics,registry-update,temporary-files}.timer 2>&1 | grep -v '^Created symlink' || true
    journalctl --update-catalog --root="$1"
}

suite_up() {
    mkdir -p "$SUITE_DIR/stage"
    DESTDIR=$SUITE_DIR/stage meson install -C "$BUILD" --no-rebuild --quiet --strip >/dev/null || return 1
    [ -z "${SUITE_OVERLAY:-}" ] || cp -a "$SUITE_OVERLAY/." "$SUITE_DIR/stage/"
    # The checkout's own programs must be met by their installed names only.
    BOX_STAGE=$SUITE_DIR/stage BOX_PREPARE=$SOURCE/tests/lib/prepare-root BOX_NETWORK=${SUITE_NETWORK:-private} \
        suite_box up >"$SUITE_DIR/up.log" 2>&1 || { cat "$SUITE_DIR/up.log" >&2; return 1; }
    rm -rf "$SUITE_DIR/stage"
}

# What runs all the time; the rest comes and goes.
SUITE_SERVICES=(sluice.target sluice-postgres.service sluice-bootloader.service sluice-scheduler.service
    sluice-worker@1.service sluice-worker@2.service sluice-launcher.service sluice-server.socket sluice-workload-api.socket)

# The programs of SUITE_SERVICES that the box does not have.
suite_missing_programs() {
    suite_sh sh -c 'for p in bootloader scheduler worker launcher server workload-api; do
        [ -x /usr/lib/sluice/sluice-$p ] || printf "sluice-%s " $p; done'
}

suite_are_up() {
    ! suite_sh systemctl is-active "${SUITE_SERVICES[@]}" | grep -qvx active
}

# All active, or one failed for good: waiting longer changes nothing.
suite_is_settled() {
    local states
    states=$(suite_sh systemctl is-active "${SUITE_SERVICES[@]}")
    grep -qx failed <<<"$states" || ! grep -qvx active <<<"$states"
}

suite_start() {
    suite_sh systemctl start sluice.target || return 1
    suite_wait "${1:-60}" suite_is_settled || return 1
    suite_are_up
}

suite_wait() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < end)) || return 1
        sleep 0.1
    done
}

suite_psql() {
    suite_as sluice-postgres psql -X -q -A -t -h /run/sluice/postgres -U postgres -d sluice "$@"
}

suite_warehouse_programs() {
    find /usr/lib/postgresql/*/bin -name initdb -printf '%h\n' | sort -V | tail -n 1
}

suite_warehouse() {
    suite_sh sh -ec "
        install -d -o postgres /var/lib/warehouse
        echo warehouse >/run/warehouse.password; chmod 0644 /run/warehouse.password
        setpriv --reuid=postgres --regid=postgres --init-groups $(suite_warehouse_programs)/initdb -D /var/lib/warehouse/data \
            -U warehouse -A scram-sha-256 --pwfile=/run/warehouse.password --no-sync >/dev/null"
    suite_warehouse_start
    suite_sh env PGPASSWORD=warehouse psql -X -q -h 127.0.0.1 -p "$SUITE_WAREHOUSE_PORT" -U warehouse -d postgres \
        -c 'create database warehouse'
}

# Once more, after the box was rebooted.
suite_warehouse_start() {
    suite_sh systemd-run --quiet --unit=warehouse --uid=postgres --service-type=notify -p KillSignal=SIGINT -p Restart=always \
        "$(suite_warehouse_programs)/postgres" -D /var/lib/warehouse/data -c listen_addresses=127.0.0.1 \
        -c port="$SUITE_WAREHOUSE_PORT" -c fsync=off -c unix_socket_directories= -c max_wal_size=4GB
}

suite_warehouse_psql() {
    suite_sh env PGPASSWORD=warehouse psql -X -q -A -t -h 127.0.0.1 -p $SUITE_WAREHOUSE_PORT -U warehouse -d warehouse "$@"
}

suite_journal() {
    suite_sh journalctl --no-pager -o short-precise "$@"
}

suite_down() {
    if [ -s "$BOX_DIR/leader.pid" ]; then
        mkdir -p "$SUITE_LOGS"
        timeout 30 "$SOURCE/tools/box" collect 2>/dev/null || true
        cp -f "$BOX_DIR/artifacts/journal.txt" "$BOX_DIR/console.log" "$SUITE_LOGS/" 2>/dev/null || true
    fi
    suite_box down
    rm -rf "$SUITE_DIR"
}
