# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# TAP for shell tests.
#
#   ok WHAT COMMAND…         a point: COMMAND succeeds; its output is shown when it does not
#   not_ok WHAT COMMAND…     a point: COMMAND fails
#   is WHAT EXPECTED FOUND   a point: two texts are equal
#   like WHAT PATTERN FOUND  a point: FOUND matches the extended regular expression
#   skip WHAT WHY            a point that cannot be had here
#   skip_all WHY             ends the test as skipped
#   done_testing             prints the plan; the exit status of the test

TAP_NUMBER=0 TAP_FAILED=0

tap_point() { # STATUS WHAT [DIAGNOSTICS]
    TAP_NUMBER=$((TAP_NUMBER + 1))
    if (($1 == 0)); then
        echo "ok $TAP_NUMBER - $2"
    else
        TAP_FAILED=$((TAP_FAILED + 1))
        echo "not ok $TAP_NUMBER - $2"
        [ -z "${3:-}" ] || sed 's/^/# /' <<<"$3"
    fi
}

ok() {
    local what=$1 output status=0
    shift
    output=$("$@" 2>&1) || status=$?
    tap_point $status "$what" "status $status${output:+: $output}"
}

not_ok() {
    local what=$1 output status=1
    shift
    output=$("$@" 2>&1) || status=0
    tap_point $status "$what" "succeeded${output:+: $output}"
}

is() {
    local status=0
    [ "$2" = "$3" ] || status=1
    tap_point $status "$1" "expected: $2
found:    $3"
}

like() {
    local status=0
    [[ $3 =~ $2 ]] || status=1
    tap_point $status "$1" "expected to match: $2
found: $3"
}

skip() {
    TAP_NUMBER=$((TAP_NUMBER + 1))
    echo "ok $TAP_NUMBER - $1 # SKIP $2"
}

skip_all() {
    echo "1..0 # SKIP $1"
    exit 77
}

done_testing() {
    echo "1..$TAP_NUMBER"
    ((TAP_FAILED == 0 && TAP_NUMBER > 0))
}
