# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What check, quickstart, bench and package share. The caller has set SOURCE to the top of the checkout.

# Debian's tools are meant, whatever else (pyenv, conda) stands first in the caller's PATH.
export PATH=/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin:$PATH LC_ALL=C.UTF-8

# sl_missing_packages [all]: the packages of tools/packages.txt that are not installed; with 'all' those too that may be missing.
sl_missing_packages() {
    local line name command status
    while read -r line; do
        [[ $line != *'?' || ${1:-} = all ]] || continue
        line=${line%'?'} name=${line%%=*} command=
        [[ $line != *=* ]] || command=${line#*=}
        [ -z "$command" ] || ! command -v "$command" >/dev/null || continue
        status=$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null) || status=
        [ "$status" = installed ] || echo "$name"
    done < <(sed 's/#.*//; s/[[:space:]]//g; /^$/d' "$SOURCE/tools/packages.txt")
}

sl_apt_install() {
    (($# == 0)) || DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" </dev/null
}

# What is only wanted comes after what is needed: it must not keep that from being installed.
sl_install_wanted() {
    local -a wanted
    mapfile -t wanted < <(sl_missing_packages all)
    ((${#wanted[@]} > 0 && EUID == 0)) && command -v apt-get >/dev/null || return 0
    echo "== installing ${wanted[*]}"
    sl_apt_install "${wanted[@]}" >/dev/null 2>&1 && return 0
    apt-get update -q </dev/null >/dev/null 2>&1
    sl_apt_install "${wanted[@]}" >/dev/null 2>&1 || echo "Not to be had here, and done without: ${wanted[*]}"
}

# sl_install_packages: false, with a plain text, when something that is needed stays missing.
sl_install_packages() {
    local -a missing
    mapfile -t missing < <(sl_missing_packages)
    if ((${#missing[@]} == 0)); then
        sl_install_wanted
        return
    fi
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
    if ! sl_apt_install "${missing[@]}" >/dev/null 2>&1; then
        apt-get update -q </dev/null >/dev/null 2>&1
        sl_apt_install "${missing[@]}" 2>&1 | tail -n 15
    fi
    mapfile -t missing < <(sl_missing_packages)
    if ((${#missing[@]} > 0)); then
        echo "apt-get could not install: ${missing[*]}" >&2
        return 1
    fi
    sl_install_wanted
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
