# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Drives the box by sluicectl. Sourced after chain.sh.
#
#   exits STATUS WHAT ARG…   a point: 'sluicectl ARG…' ends with STATUS; leaves OUT, what it printed (errors too)
#   id_of KIND NAME          id of a source, destination or connection
#   newest CONNECTION        number of its newest job; nothing when it has none
#   masked                   stdin: a source or destination as the API shows it; stdout: a body of PATCH with that configuration
#   is_quiet                 no job is on its way

exits() { # STATUS WHAT ARG…
    local wanted=$1 what=$2 status=0
    shift 2
    OUT=$(suite_sh sluicectl "$@" 2>&1 </dev/null) || status=$?
    ((status == wanted))
    tap_point $? "$what" "sluicectl $*: status $status, expected $wanted: $OUT"
}

id_of() { # KIND NAME
    suite_sh sluicectl show "$1/$2" --property="$1Id"
}

newest() { # CONNECTION
    suite_sh sluicectl list-jobs "$1" -n 1 -o name
}

masked() {
    /usr/bin/python3 -c 'import json, sys; print(json.dumps({"configuration": json.load(sys.stdin)["configuration"]}))'
}

is_quiet() {
    [ -z "$(suite_psql -c "select job_id from job where status in ('pending', 'running', 'incomplete')")" ]
}
