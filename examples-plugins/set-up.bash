# What the scripts share that set something up. To be sourced.
# shellcheck shell=bash

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

fail() {
    printf 'error: %s\n' "$1" >&2
    printf ' hint: %s\n' "$2" >&2
    exit 1
}

# Runs a command that may hang on a network that drops packets.
bounded() {
    local seconds=$1
    shift
    if command -v timeout >/dev/null; then timeout "$seconds" "$@"; else "$@"; fi
}

# Installs Debian packages when this is Debian and we are root; $1 says what for. Nothing that is
# installed is removed for it.
install_debian() {
    local what=$1
    shift
    command -v apt-get >/dev/null || return 1
    if [ "$(id -u)" -ne 0 ]; then
        say "$what: as root, run: apt-get install -y --no-install-recommends $*"
        return 1
    fi
    say "$what: installing $*"
    export DEBIAN_FRONTEND=noninteractive
    local install=(apt-get install -y -q --no-install-recommends --no-remove -o DPkg::Lock::Timeout=300)
    # The list that is there may be old, and have too old a Rust; without a network it has to do.
    apt-get update -q >&2 </dev/null || say "apt has no newer list of packages"
    "${install[@]}" "$@" >&2 </dev/null
}
