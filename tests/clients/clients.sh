# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Real clients against a booted chain. Sourced by the tests here; brings tests/e2e/chain.sh.
#
#   clients_venv NAME REQUIREMENT…   an environment with these packages from PyPI, kept in $BUILD/clients; fails when pip cannot
#   clients_up                       boots the chain with the warehouse and the recorder; makes an application
#   client NAME SCRIPT [ARG…]        runs SCRIPT by the environment NAME, or by the system's Python when there is none, in the
#                                    network of the box; its points become ours
#   CLIENTS_LOG                      what was asked and answered (recorder.py)

SOURCE=${SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
BUILD=${BUILD:-$SOURCE/build}
# shellcheck source=tests/e2e/chain.sh
. "$SOURCE/tests/e2e/chain.sh"
CLIENTS=$SOURCE/tests/clients
CLIENTS_VENVS=$BUILD/clients
CLIENTS_LOG=$BUILD/check-logs/clients-recorded.jsonl
CLIENTS_PORT=8001

# What is installed is what was asked for, or it is made again.
clients_venv() { # NAME REQUIREMENT…
    local venv=$CLIENTS_VENVS/$1 begun=$SECONDS
    shift
    [ "$(cat "$venv/requirements" 2>/dev/null)" != "$*" ] || return 0
    rm -rf "$venv"
    mkdir -p "$CLIENTS_VENVS"
    /usr/bin/python3 -m venv "$venv" && timeout 900 "$venv/bin/pip" install --quiet --disable-pip-version-check \
        --only-binary :all: "$@" >"$venv.log" 2>&1 </dev/null || { tail -n 5 "$venv.log" | sed 's/^/# /'; return 1; }
    echo "$*" >"$venv/requirements"
    echo "# installed $* in $((SECONDS - begun)) s, $(du -sh "$venv" | cut -f1)"
}

clients_in_box() { # COMMAND…: of the host, in the network of the box
    nsenter --net --target "$(cat "$BOX_DIR/leader.pid")" "$@"
}

clients_down() {
    [ -z "${CLIENTS_RECORDER:-}" ] || kill "$CLIENTS_RECORDER" 2>/dev/null
    chain_down
}

clients_up() {
    local app
    chain_up "[Server]
PublicUrl=http://localhost:$CLIENTS_PORT
${1:-}"
    trap clients_down EXIT
    suite_warehouse
    app=$(suite_sh curl -sS --unix-socket /run/sluice/api.sock -d '{"name": "clients"}' http://sluice/api/public/v1/applications)
    SLUICE_CLIENT_ID=$(jq -r .clientId <<<"$app") SLUICE_CLIENT_SECRET=$(jq -r .clientSecret <<<"$app")
    export SLUICE_CLIENT_ID SLUICE_CLIENT_SECRET SLUICE_WAREHOUSE_PORT=$SUITE_WAREHOUSE_PORT \
        SLUICE_URL=http://127.0.0.1:$CLIENTS_PORT
    mkdir -p "${CLIENTS_LOG%/*}"
    rm -f "$CLIENTS_LOG"
    # Not by clients_in_box: a function in the background is a shell of its own, and that is what would be killed.
    nsenter --net --target "$(cat "$BOX_DIR/leader.pid")" /usr/bin/python3 "$CLIENTS/recorder.py" $CLIENTS_PORT 8000 "$CLIENTS_LOG" \
        </dev/null >"$CLIENTS_LOG.errors" 2>&1 &
    CLIENTS_RECORDER=$!
    ok "the recorder passes on" suite_wait 20 clients_in_box curl -sSf "$SLUICE_URL/api/public/v1/health"
}

client() { # NAME SCRIPT [ARG…]
    local name=$1 script=$2 begun=$SECONDS line status said=0 python=$CLIENTS_VENVS/$1/bin/python
    [ -x "$python" ] || python=/usr/bin/python3
    shift 2
    while IFS= read -r line; do
        case $line in
        'ok - '*" # SKIP "*) line=${line#ok - }; skip "$name: ${line%% # SKIP *}" "${line##* # SKIP }"; said=1 ;;
        'ok - '*) tap_point 0 "$name: ${line#ok - }"; said=1 ;;
        'not ok - '*) tap_point 1 "$name: ${line#not ok - }"; said=1 ;;
        STATUS\ *) status=${line#STATUS } ;;
        *) echo "# ${line#\# }" ;;
        esac
    done < <(clients_in_box env -u http_proxy -u https_proxy -u HTTP_PROXY -u HTTPS_PROXY PYTHONDONTWRITEBYTECODE=1 \
        timeout 1800 "$python" "$CLIENTS/$script" "$@" 2>&1 </dev/null; echo "STATUS $?")
    ((status <= 1 && said))
    tap_point $? "$name: it ran to its end" "status $status"
    echo "# $name: $((SECONDS - begun)) s"
}
