# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For bench suites.

# figure NAME VALUE UNIT [BAR]: BAR as '<500' or '>=10'; VALUE '' when it could not be measured.
figure() {
    printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "${4:-}" >>"$BENCH_FIGURES"
    echo "  $1: ${2:-not measured} $3 ${4:+(bar $4)}"
}

# median NUMBER…
median() {
    printf '%s\n' "$@" | sort -n | awk '{ v[NR] = $1 }
        END { if (NR % 2) print v[(NR + 1) / 2]; else if (NR) print (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}
