# Functions for the scripts that set up tools. Source this file.
# shellcheck shell=bash

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

fail() {
    printf 'error: %s\n' "$1" >&2
    printf ' hint: %s\n' "$2" >&2
    exit 1
}

# Runs a command with a time limit, because it may hang if the network drops packets.
with_time_limit() {
    local seconds=$1
    shift
    if command -v timeout >/dev/null; then timeout "$seconds" "$@"; else "$@"; fi
}

# Installs Debian packages if this is Debian and the user is root; $1 is the purpose. No installed package is
# removed.
install_debian() {
    local purpose=$1
    shift
    command -v apt-get >/dev/null || return 1
    if [ "$(id -u)" -ne 0 ]; then
        say "$purpose: as root, run: apt-get install -y --no-install-recommends $*"
        return 1
    fi
    say "$purpose: installing $*"
    export DEBIAN_FRONTEND=noninteractive
    local install=(apt-get install -y -q --no-install-recommends --no-remove -o DPkg::Lock::Timeout=300)
    # The local list of packages may be old and name an old Rust. Without a network, it is used anyway.
    apt-get update -q >&2 </dev/null || say "apt cannot update its list of packages"
    "${install[@]}" "$@" >&2 </dev/null
}
