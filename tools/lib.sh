# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What check, quickstart, bench and package share. The caller has set SOURCE to the top of the checkout.

# Debian's tools are meant, whatever else (pyenv, conda) stands first in the caller's PATH.
export PATH=/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin:$PATH LC_ALL=C.UTF-8

# The packages of tools/packages.txt that are not installed.
sl_missing_packages() {
    local name status
    while read -r name; do
        status=$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null) || status=
        [ "$status" = installed ] || echo "$name"
    done < <(sed 's/#.*//; s/[[:space:]]//g; /^$/d' "$SOURCE/tools/packages.txt")
}

# sl_install_packages: false, with a plain text, when something stays missing.
sl_install_packages() {
    local -a missing
    mapfile -t missing < <(sl_missing_packages)
    ((${#missing[@]} > 0)) || return 0
    if ! command -v apt-get >/dev/null; then
        echo "These Debian packages are needed and there is no apt-get here: ${missing[*]}" >&2
        return 1
    fi
    if ((EUID != 0)); then
        echo "These packages are missing: ${missing[*]}" >&2
        echo "Run this as root, or first: sudo apt-get install ${missing[*]}" >&2
        return 1
    fi
    echo "== installing ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    apt-get install -y -q --no-install-recommends "${missing[@]}" </dev/null >/dev/null 2>&1 && return 0
    apt-get update -q </dev/null >/dev/null 2>&1
    apt-get install -y -q --no-install-recommends "${missing[@]}" </dev/null 2>&1 | tail -n 15
    mapfile -t missing < <(sl_missing_packages)
    ((${#missing[@]} > 0)) || return 0
    echo "apt-get could not install: ${missing[*]}" >&2
    return 1
}

# sl_build DIR [MESON-OPTION…]: sets up DIR when it is new and builds. Warnings are errors.
sl_build() {
    local dir=$1
    shift
    if [ ! -e "$dir/build.ninja" ]; then
        rm -rf "$dir"
        meson setup -Dwerror=true --prefix=/usr "$@" "$dir" "$SOURCE" </dev/null || return 1
    fi
    ninja -C "$dir" -j "$(nproc)" --quiet </dev/null
}
