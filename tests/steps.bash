# The steps of tests/run, which sources this file. The function `step_NAME` runs the step NAME.
# shellcheck shell=bash disable=SC2034,SC2154

# ---------------------------------------------------------------- what steps need

# Sets `cargo`, a cargo with rustfmt and clippy.
use_rust() {
    [ -z "${cargo:-}" ] || return 0
    cargo=$(examples-plugins/toolchain lint)
    printf '%s: %s\n' "$cargo" "$("$cargo" --version)"
}

# Sets `wasm_cargo`, a cargo that builds plugins.
use_wasm_rust() {
    [ -n "${wasm_cargo:-}" ] || wasm_cargo=$(examples-plugins/toolchain wasm)
}

# Builds the example plugins in Rust, which tests of the host run.
use_plugins() {
    [ -z "${MTL_EXAMPLE_PLUGINS:-}" ] || return 0
    examples-plugins/build >/dev/null
    examples-plugins/build --target wasm32-unknown-unknown square word-count echo greet power >/dev/null
    export MTL_EXAMPLE_PLUGINS=$root/examples-plugins/target/wasm32-wasip1/release
}

# Builds components of the example plugins in the folder where the tests of the host look for them.
use_components() {
    [ -z "${has_components:-}" ] || return 0
    use_rust
    use_plugins
    local target
    for target in wasm32-wasip1 wasm32-unknown-unknown; do
        (cd plugin-sdk/rust && MTL_EXAMPLE_PLUGINS=$root/examples-plugins/target/$target/release \
            "$cargo" test --test component --locked)
    done
    has_components=yes
}

# Sets `languages` to the languages that have a compiler here, and puts their compilers on PATH.
use_languages() {
    [ -z "${languages+set}" ] || return 0
    languages=()
    local language tools
    for language in c zig go assemblyscript javascript python; do
        if tools=$(examples-plugins/languages "$language"); then
            languages+=("$language")
            export PATH=$tools:$PATH
        else
            skip "workers in $language" "a compiler"
        fi
    done
}

# Skips the part $1, because the tool $2 is missing. Under CI, fails instead.
skip() {
    if [ -n "${CI:-}" ]; then
        printf 'error: %s: cannot get %s\n' "$1" "$2" >&2
        exit 1
    fi
    printf 'skipped: %s: cannot get %s\n' "$1" "$2"
}

# ---------------------------------------------------------------- tests of the host

has_nextest() { "$cargo" nextest --version >/dev/null 2>&1; }

# Runs tests of the host. Arguments: selections of binaries for cargo, then `--`, then names of tests for libtest.
host_tests() {
    local binaries=() tests=() threads
    # The packages examples-of-* share their sources with other packages, and the unit tests run in those.
    local workspace=(--workspace --exclude "examples-of-*")
    # Many tests wait for plugins' deadlines and use no core meanwhile.
    threads=$((2 * $(nproc)))
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        binaries+=("$1")
        shift
    done
    tests=("$@")
    if has_nextest; then
        "$cargo" nextest run "${workspace[@]}" --locked --test-threads "$threads" "${binaries[@]}" "${tests[@]}"
    else
        "$cargo" test "${workspace[@]}" --locked "${binaries[@]}" "${tests[@]:---}" "--test-threads=$threads"
    fi
}

# Modules of the integration tests that need compilers of languages other than Rust.
readonly other_languages=(languages::{c,cpp,zig,go,assemblyscript,javascript,quickjs,python,others}::)
# Modules of the integration tests that `MTL_TEST_ISOLATION` does not affect: they start processes of their own, or
# start no workers.
readonly isolation_independent=(
    behaviours:: build:: compiling:: crashes:: doc_examples:: ends::{consumer,output,source}:: fault_injection::
    hostile:: inspect:: matrix::native_workers new:: orphans:: readme::
)

# Runs tests of the host. Arguments: selections of binaries for cargo, then `but`, then the modules to leave out.
host_tests_but() {
    local arguments=()
    while [ "$1" != but ]; do
        arguments+=("$1")
        shift
    done
    shift
    arguments+=(--)
    local module
    for module in "$@"; do
        arguments+=(--skip "$module")
    done
    host_tests "${arguments[@]}"
}

# ---------------------------------------------------------------- fast

# Runs a command in each workspace.
in_each_workspace() {
    local workspace
    for workspace in . plugin-sdk/rust examples-plugins tests/fuzz tests/model-check; do
        (cd "$workspace" && "$@")
    done
}

step_formatting() {
    use_rust
    in_each_workspace "$cargo" fmt --all --check
}

step_wording() {
    tests/wording --self-test
    tests/wording
}

step_plugins() {
    use_rust
    use_plugins
}

step_components() { use_components; }

step_sdk() {
    use_rust
    use_plugins
    (cd plugin-sdk/rust && "$cargo" test --workspace --locked)
}

step_examples() {
    use_rust
    (cd examples-plugins && "$cargo" test --workspace --locked)
}

step_build() {
    use_rust
    if has_nextest; then
        "$cargo" nextest run --workspace --locked --no-run
    else
        "$cargo" test --workspace --all-targets --locked --no-run
    fi
}

step_unit() {
    use_rust
    host_tests --lib --bins
}

step_integration() {
    use_rust
    use_components
    host_tests_but --test integration but "${other_languages[@]}"
    host_tests --test escape --test fake-child --test allocations
}

step_processes() {
    use_rust
    use_components
    local tests
    mapfile -t tests < <(tests_in_both)
    # Without names, the runner would run all tests.
    if [ ${#tests[@]} -eq 0 ]; then
        printf 'error: host/docs/behaviours.md names no test under both *threads* and *processes*\n' >&2
        return 1
    fi
    printf '%s tests\n' "${#tests[@]}"
    MTL_TEST_ISOLATION=process host_tests --test integration -- --exact "${tests[@]}"
}

# Prints the tests that host/docs/behaviours.md names under *threads* and under *processes*.
tests_in_both() {
    comm -12 <(tests_in_column 4) <(tests_in_column 5)
}

# Prints the tests that a column of the tables names, sorted.
tests_in_column() {
    awk -F ' [|] ' -v column="$(($1 - 1))" '/^[|] <a id=/ { print $column }' host/docs/behaviours.md |
        grep -o '`[^`]*`' | tr -d '`' | sort -u
}

step_doc_tests() {
    use_rust
    # The packages examples-of-* test the examples of these crates, because the examples need mtl-host.
    "$cargo" test --doc --workspace --exclude mtl-jail --exclude mtl-stream --locked
}

step_lints() {
    use_rust
    use_wasm_rust
    local workspace
    for workspace in . plugin-sdk/rust examples-plugins tests/model-check; do
        (cd "$workspace" && "$cargo" clippy --workspace --all-targets --all-features --locked -- -D warnings)
    done
    # Lints code that is compiled only for plugins. A separate Rust that was installed for plugins has no clippy.
    if [ "$wasm_cargo" = "$cargo" ]; then
        (cd plugin-sdk/rust && "$cargo" clippy --lib --target wasm32-unknown-unknown --locked -- -D warnings)
    fi
}

# ---------------------------------------------------------------- full

step_licences() {
    use_rust
    local deny
    deny=$(tests/cargo-deny) || { skip licences cargo-deny && return; }
    in_each_workspace "$deny" --locked check --hide-inclusion-graph bans licenses sources
}

# A program that embeds the library must not build the command's dependencies.
step_library() {
    use_rust
    depends_on_none mtl-host 'clap|indicatif|mtl-host-cli|signal-hook|toml' 'a dependency of the command'
    depends_on_none mtl-stream 'mtl-host|mtl-jail|tokio|wasmtime.*' 'the engine or its runtime'
    depends_on_none mtl-jail 'mtl-host|mtl-stream|tokio|wasmtime.*' 'the engine or its runtime'
}

# Fails if the crate $1 depends on a crate whose name matches $2. $3 describes such crates.
depends_on_none() {
    local dependencies
    dependencies=$("$cargo" tree -p "$1" --edges normal --prefix none --locked)
    if grep -E "^($2) " <<<"$dependencies"; then
        printf 'error: %s depends on %s\n hint: host/docs/architecture.md has the layers\n' "$1" "$3" >&2
        return 1
    fi
}

step_documentation() {
    use_rust
    local workspace pages=${CARGO_TARGET_DIR:-target}/doc
    # Without this, tests/public-api would list items that were removed or made private.
    rm -rf "$pages/mtl_host"
    "$cargo" doc -p mtl-host --no-deps --locked
    tests/public-api "$pages/mtl_host" host/docs/public-api.txt
    for workspace in . plugin-sdk/rust tests/model-check; do
        (cd "$workspace" && RUSTDOCFLAGS=-Dwarnings "$cargo" doc --workspace --no-deps --document-private-items --locked)
    done
}

# The packages have no profiles. With the profiles of this workspace, cargo can reuse the built engine.
step_packages() {
    use_rust
    # To verify a package, cargo builds it, and replaces the checkout's command with the command of the package.
    local scratch built=${CARGO_TARGET_DIR:-target}/debug/mtl-host
    rm -f "$built"
    # Cargo takes packages of the same version for unchanged. What it kept of earlier ones has to go.
    local kept=${CARGO_HOME:-$HOME/.cargo}/registry/src
    if compgen -G "$kept/-*/mtl-jail-[0-9]*" >/dev/null; then
        rm -rf "$kept"/-*/mtl-{host,jail,stream}-[0-9]* "${CARGO_TARGET_DIR:-target}"/debug/.fingerprint/mtl-{host,jail,stream}-*
    fi
    "$cargo" --config Cargo.toml package --workspace --exclude "examples-of-*" --locked --allow-dirty
    scratch=$(mktemp -d)
    new_projects "$built" "$scratch/packaged"
    "$cargo" build -p mtl-host-cli --locked
    new_projects "$built" "$scratch/checkout"
    diff -r "$scratch/packaged" "$scratch/checkout"
    rm -rf "$scratch"
    (cd plugin-sdk/rust && "$cargo" package --workspace --locked --allow-dirty)
}

# Creates a project in each language that has a template.
new_projects() {
    local kit
    for kit in host/cli/kits/*; do
        "$1" new --lang "${kit##*/}" "$2/${kit##*/}" >/dev/null
    done
}

step_model_check() {
    use_rust
    (cd tests/model-check && "$cargo" test --locked)
}

step_all_processes() {
    use_rust
    use_components
    MTL_TEST_ISOLATION=process host_tests_but --test integration but "${other_languages[@]}" "${isolation_independent[@]}"
}

# The tests of the SDKs need the command: some run built plugins, and others build plugins.
step_languages() {
    use_rust
    use_languages
    [ ${#languages[@]} -gt 0 ] || return 0
    "$cargo" build -p mtl-host-cli --locked
    host_tests --test integration -- "${other_languages[@]}"
    local built
    built=$(cd "${CARGO_TARGET_DIR:-target}/debug" && pwd)
    PATH=$built:$PATH plugin-sdk/test "${languages[@]}"
}

step_fuzz_smoke() { tests/fuzz/run smoke; }

step_tokenize() { tests/tokenize-against-python; }

step_campaign() { campaign_of 60; }

# Runs the campaign for $1 seconds, after a self-test has shown that it finds planted defects.
campaign_of() {
    use_rust
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { skip campaign "Python 3.11" && return; }
    "$cargo" build -p mtl-host-cli --locked
    tests/campaign/run --self-test
    tests/campaign/run --seconds "$1"
}

# ---------------------------------------------------------------- nightly

step_everywhere() {
    use_rust
    use_components
    use_languages
    MTL_TEST_ISOLATION=process host_tests --test integration
}

# Uses a target folder of its own, because these profiles build the engine again.
step_assertions() {
    use_rust
    use_components
    local all='profile.dev.package."*"'
    CARGO_TARGET_DIR=$root/target/assertions host_tests_but \
        --config "$all.debug-assertions=true" --config "$all.overflow-checks=true" \
        --lib --bins --test integration but "${other_languages[@]}"
}

step_kills() {
    use_rust
    export MTL_TEST_TIER=nightly
    host_tests --test integration -- fault_injection:: leaks::
    MTL_TEST_ISOLATION=process host_tests --test integration -- leaks::
    unset MTL_TEST_TIER
}

step_model_check_all() {
    use_rust
    (cd tests/model-check && MTL_MODEL_BOUNDS=none "$cargo" test --locked -- --nocapture)
}

step_fuzz() { tests/fuzz/run; }

step_soak() {
    use_rust
    "$cargo" build --release --locked -p mtl-host-cli
    tests/soak
}

step_campaign_hour() { campaign_of 3600; }

step_advisories() {
    use_rust
    local deny
    deny=$(tests/cargo-deny) || { skip advisories cargo-deny && return; }
    "$deny" --locked fetch db || { skip advisories "their database" && return; }
    in_each_workspace "$deny" --locked check --hide-inclusion-graph --disable-fetch advisories
}

# `cargo update` prints its plan on stderr, and exits with 0 in any case.
step_engine_patch() {
    use_rust
    local answer newer
    if ! answer=$("$cargo" update --dry-run --color never wasmtime 2>&1); then
        printf '%s\n' "$answer" >&2
        return 1
    fi
    newer=$(grep -E '^ *Updating wasmtime v' <<<"$answer" || true)
    if [ -n "$newer" ]; then
        printf '%s\n' "$newer"
        printf 'error: the registry has a newer patch of the engine\n hint: cargo update wasmtime, here and in tests/fuzz\n' >&2
        return 1
    fi
    printf 'the engine is the newest that Cargo.toml allows\n'
}

step_peers() {
    use_rust
    "$cargo" build --release --locked -p mtl-host-cli
    host/benches/peers/run
}
