# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Docker, Podman and a registry in the box. Sourced after chain.sh.
#
#   engines_require         skips the test where they cannot be had; before chain_up
#   engines_are_here        whether they can
#   engine_start ENGINE     docker or podman, as a service test-ENGINE, at its usual socket
#   engine_use ENGINE       sluice.conf names it, and the launcher knows
#   registry_start          127.0.0.1:5000; with USER PASSWORD one that wants to know who asks, at port 5001
#   make_image NAME ENTRYPOINT TAR    an image of a root, pushed into the registry and taken from the engine again (docker)
#   containers ENGINE       the names of all there are
#   images_store            where images of the runtime 'oci' are unpacked, made fit for a box
#   fetch_faker             airbyte-source-faker from PyPI, as $FAKER of a box that is not up yet
#   faker_differences SCHEMA STREAM   rows of its tables that are others than in schema 'plain', but for what it makes up of time

# The engines' runtime asks for a keyring.
export BOX_CALLS=@keyring
declare -A ENGINE_SOCKETS=([docker]=/run/docker.sock [podman]=/run/podman/podman.sock)
REGISTRY=127.0.0.1:5000
FAKER=/opt/faker

# shellcheck disable=SC2034 # SETTINGS is for the tests
ENGINE_SETTINGS='[Engine]
Network=host'

engines_are_here() {
    local program
    for program in dockerd podman runc docker-registry; do
        PATH=$PATH:/usr/sbin command -v $program >/dev/null || return
    done
}

engines_require() {
    suite_require
    engines_are_here || { rm -rf "$SUITE_DIR"; skip_all "needs Docker, Podman, runc and docker-registry"; }
}

engine_socket() {
    echo "${ENGINE_SOCKETS[$1]}"
}

engine_answers() {
    suite_sh curl -sf --unix-socket "$(engine_socket "$1")" http://engine/version
}

# As their own units run them: what a container is made of outlives the engine.
engine_start() { # ENGINE
    local -a command
    # Of its own, because the box's root cannot be below another overlay.
    suite_sh sh -c "mkdir -p /var/lib/test-$1 && mount -t tmpfs -o size=50%,mode=0711 test /var/lib/test-$1"
    case $1 in
    docker)
        command=(dockerd --iptables=false --ip6tables=false --bridge=none --storage-driver=overlay2 --data-root=/var/lib/test-docker
            --exec-root=/run/test-docker "${@:2}" -H "unix://$(engine_socket docker)")
        ;;
    podman)
        suite_sh sh -c 'mkdir -p /etc/containers/registries.conf.d /run/podman
            printf "[[registry]]\nlocation = \"127.0.0.1\"\ninsecure = true\n" >/etc/containers/registries.conf.d/test.conf'
        command=(podman --runtime /usr/sbin/runc --cgroup-manager cgroupfs --storage-driver overlay --root /var/lib/test-podman
            --runroot /run/test-podman --tmpdir /run/test-podman-tmp system service --time=0 "unix://$(engine_socket podman)")
        ;;
    esac
    suite_sh systemd-run --quiet --unit="test-$1" -p Delegate=yes -p KillMode=process -p Restart=always -p RestartSec=500ms \
        -p StartLimitIntervalSec=0 "${command[@]}"
    suite_wait 60 engine_answers "$1"
}

engine_use() { # ENGINE
    suite_sh sh -c "printf '[Engine]\nSocket=%s\n' '$(engine_socket "$1")' >/etc/sluice/sluice.conf.d/60-engine.conf
        systemctl restart sluice-launcher.service"
}

registry_start() { # [USER PASSWORD]
    local port=5000 auth=
    if (($# > 0)); then
        port=5001
        suite_sh /usr/bin/python3 -W ignore -c 'import crypt, sys
print(sys.argv[1] + ":" + crypt.crypt(sys.argv[2], crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=1 << 5)))' "$@" >"$SUITE_DIR/users"
        suite_sh tee /run/registry.users <"$SUITE_DIR/users" >/dev/null
        auth='auth: {htpasswd: {realm: test, path: /run/registry.users}}'
    fi
    suite_sh tee "/run/registry-$port.yml" >/dev/null <<END
version: 0.1
log: {level: error}
storage: {filesystem: {rootdirectory: /var/lib/test-registry}}
http: {addr: "127.0.0.1:$port"}
$auth
END
    suite_sh systemd-run --quiet --unit=test-registry-$port docker-registry serve /run/registry-$port.yml
    suite_wait 30 suite_sh sh -c "curl -s http://127.0.0.1:$port/v2/"
}

docker() {
    suite_sh docker -H "unix://$(engine_socket docker)" "$@"
}

make_image() { # NAME ENTRYPOINT-AS-JSON TAR
    docker import -c "ENTRYPOINT $2" -c 'USER airbyte' -c 'WORKDIR /airbyte/integration_code' \
        -c 'ENV AIRBYTE_ENTRYPOINT="python /airbyte/integration_code/main.py" PYTHONDONTWRITEBYTECODE=1 OF_THE_IMAGE=yes' \
        "$3" "$REGISTRY/$1" >/dev/null &&
        docker push -q "$REGISTRY/$1" >/dev/null && docker rmi "$REGISTRY/$1" >/dev/null
}

# The box's root is an overlay, which takes no whiteouts and cannot be below another one.
images_store() {
    suite_sh sh -c 'for folder in /var/lib/sluice/images /var/cache/private; do
            mkdir -p -m 0700 $folder && mount -t tmpfs -o size=50%,mode=0700 test $folder
        done; chmod 0755 /var/lib/sluice/images
        mkdir -p /etc/containers/registries.conf.d
        printf "[[registry]]\nlocation = \"127.0.0.1\"\ninsecure = true\n" >/etc/containers/registries.conf.d/test.conf'
}

containers() { # ENGINE
    suite_sh curl -sf --unix-socket "$(engine_socket "$1")" 'http://engine/v1.41/containers/json?all=1' |
        jq -r '.[] | .Names[0] + " " + .State'
}

fetch_faker() {
    local pip
    pip=$(find /usr/share/python-wheels -name 'pip-*.whl' -print -quit 2>/dev/null)
    [ -n "$pip" ] && timeout 300 /usr/bin/python3 -I "$pip/pip" install --quiet --no-cache-dir --no-compile --root-user-action=ignore \
        --only-binary :all: --target "$SUITE_DIR/overlay$FAKER" airbyte-source-faker >"$SUITE_DIR/pip.log" 2>&1
}

faker_differences() { # SCHEMA STREAM
    local data="to_jsonb(t) - array['created_at', 'updated_at', 'added_to_cart_at', 'purchased_at', 'returned_at', '_airbyte_raw_id',
        '_airbyte_extracted_at', '_airbyte_meta', '_airbyte_generation_id']"
    suite_warehouse_psql -c "select count(*) from (
        (select $data from plain.$2 t except all select $data from $1.$2 t) union all
        (select $data from $1.$2 t except all select $data from plain.$2 t)) d"
}
