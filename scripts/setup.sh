#!/usr/bin/env bash
# Installs everything that a build needs (`tools`), and builds (`build`), or installs what `make dev` (`dev`), `make fuzz`
# (`fuzz`) or the tests (`test`) need in addition. Existing tools are kept, so a second run only checks. Nothing is installed outside of the project (or SIGNALBOX_TOOLS), except the Rust toolchain
# through rustup, and missing system packages where that is permitted.
set -euo pipefail
. "$(dirname "$0")/paths.sh"
. "$ROOT/scripts/messages.sh"

FOR=${1:-tools}

# --- System packages ------------------------------------------------------------------------------

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

may_install() {
    have apt-get || return 1
    [ "$(id -u)" = 0 ] && return 0
    have sudo || return 1
    # Without a terminal, sudo can't prompt for the password.
    sudo -n true 2>/dev/null || [ -t 0 ]
}

apt_install() {
    export DEBIAN_FRONTEND=noninteractive
    as_root apt-get update -qq && as_root apt-get install -y -qq --no-install-recommends "$@"
}

# packages WHY SECONDS PACKAGE...
packages() {
    local why=$1 seconds=$2
    shift 2
    if [ $PLANNING = yes ]; then
        step "$why" "$seconds"
        return
    fi
    if ! may_install; then
        die "Missing: $why." \
            "It can't be installed automatically, because that needs apt-get, and root or sudo." \
            "On Debian and Ubuntu:  sudo apt-get install $*" \
            "On other systems, install the equivalent packages. Then run make again."
    fi
    if [ "$(id -u)" != 0 ]; then sudo -v; fi
    step "$why: apt-get install $*" "$seconds" apt_install "$@" ||
        die "System packages could not be installed." "Try:  sudo apt-get install $*"
}

a_c_compiler() {
    have cc && return
    [ "$(uname)" != Darwin ] || die "A C compiler is missing." "Run:  xcode-select --install"
    packages "A C compiler, to link the programs" 10 gcc libc6-dev
}

# libFuzzer is C++.
a_cpp_compiler() {
    have c++ && return
    [ "$(uname)" != Darwin ] || die "A C++ compiler is missing." "Run:  xcode-select --install"
    packages "A C++ compiler, for the fuzzer" 20 g++
}

# --- Rust -------------------------------------------------------------------------------------------------

rust_is_whole() {
    local parts
    parts=$(rustup component list --installed --toolchain "$RUST_VERSION" 2>/dev/null) || return 1
    for part in clippy rustfmt rust-std-wasm32-unknown-unknown; do
        case $parts in *"$part"*) ;; *) return 1 ;; esac
    done
}

rust_without_rustup() {
    have rustc && at_least "$(rustc --version | cut -d' ' -f2)" "$RUST_VERSION" &&
        [ -d "$(rustc --print target-libdir --target wasm32-unknown-unknown)" ]
}

rust() {
    if have rustup; then
        rust_is_whole && return
        # Installed explicitly, because RUSTUP_AUTO_INSTALL may be 0.
        step "Rust $RUST_VERSION (600 MB), to compile the server and the page" 20 \
            rustup toolchain install "$RUST_VERSION" --profile minimal --no-self-update \
            -c clippy -c rustfmt -t wasm32-unknown-unknown ||
            die "rustup could not install Rust $RUST_VERSION." "Check the network, then run make again."
    elif ! rust_without_rustup; then
        die "Rust $RUST_VERSION with the target wasm32-unknown-unknown is missing, and rustup is not installed." \
            "Install rustup from https://rustup.rs, then run make again."
    fi
}

# crate_tool PROGRAM CRATE VERSION SECONDS FOR_WHAT [CARGO_INSTALL_FLAG...]: builds without optimization, which is five times
# faster; these tools run only for seconds.
crate_tool() {
    local program=$1 crate=$2 version=$3 seconds=$4 for_what=$5
    shift 5
    if have "$program" && [ "$("$program" --version 2>/dev/null | awk '{ print $2; exit }')" = "$version" ]; then
        return
    fi
    step "$crate $version, $for_what" "$seconds" env CARGO_PROFILE_DEV_DEBUG=0 cargo install --debug --force "$@" \
        --root "$TOOLS" --target-dir "$TOOLS/build" "$crate" --version "=$version" ||
        die "$crate $version could not be built." \
            "If the log shows a network error, run make again later; finished parts are kept."
    BUILT_TOOLS=yes
}

tools_of_rust() {
    BUILT_TOOLS=no
    if [ "$FOR" = dev ]; then
        # Built without --locked, because its lock file has a version that is no longer available.
        crate_tool wasm-bindgen wasm-bindgen-cli "$WASM_BINDGEN_VERSION" 60 "to call Rust from JavaScript"
        crate_tool cargo-leptos cargo-leptos "$CARGO_LEPTOS_VERSION" 240 "to rebuild at each change" --locked
    fi
    if [ "$FOR" = test ]; then
        crate_tool cargo-deny cargo-deny "$CARGO_DENY_VERSION" 60 "to check licences and advisories" --locked
    fi
    if [ "$FOR" = fuzz ]; then
        crate_tool cargo-fuzz cargo-fuzz "$CARGO_FUZZ_VERSION" 60 "to fuzz parsers" --locked
    fi
    delete_builds
}

# Hundreds of megabytes that only a future version would reuse.
delete_builds() {
    if [ $PLANNING = no ] && [ $BUILT_TOOLS = yes ]; then rm -rf "$TOOLS/build"; fi
}

# --- Node and npm packages ------------------------------------------------------------------------------

node_is_new_enough() {
    have node && at_least "$(node --version | tr -d v)" "$NODE_AT_LEAST"
}

# Installs Node from the npm registry, for systems with an old Node such as Debian 12. Works with an old npm.
newer_node() {
    local machine
    machine=$(uname -m)
    case $(uname)-$machine in
        Linux-x86_64) machine=linux-x64 ;;
        Linux-aarch64) machine=linux-arm64 ;;
        *) return 1 ;;
    esac
    mkdir -p "$TOOLS/node" "$TOOLS/bin"
    npm install --prefix "$TOOLS/node" --no-save --no-package-lock --ignore-scripts "node-$machine@$NODE_VERSION"
    ln -sf "$TOOLS/node/node_modules/node-$machine/bin/node" "$TOOLS/bin/node"
    hash -r
    "$TOOLS/bin/node" --version
}

node_and_npm() {
    if ! have node || ! have npm; then
        have node || packages "Node.js, to make the page small" 30 nodejs
        have npm || packages "npm, to install Sass and Binaryen" 40 npm
        hash -r
    fi
    node_is_new_enough && return
    local found
    found=$(node --version 2>/dev/null || echo "none")
    step "Node.js $NODE_VERSION (120 MB), because $found is older than $NODE_AT_LEAST" 10 newer_node ||
        die "Node.js $NODE_AT_LEAST or newer is required; found $found." \
            "Install a newer Node.js (https://nodejs.org), then run make again."
}

# A Node that is not a system package trusts only its bundled certificates. npm would fail behind a company proxy whose
# certificate only the system trusts.
trust_what_the_system_trusts() {
    local certificates=/etc/ssl/certs/ca-certificates.crt
    if [ -r $certificates ]; then export NODE_EXTRA_CA_CERTS=${NODE_EXTRA_CA_CERTS:-$certificates}; fi
}

npm_packages() {
    local stamp=node_modules/.signalbox now
    now=$(cat package.json package-lock.json .npmrc | cksum)
    [ "$(cat "$stamp" 2>/dev/null)" = "$now" ] && return
    step "npm packages (170 MB), to draw charts, to make the page small, and for tests" 10 install_npm_packages ||
        die "npm could not install the packages of package-lock.json." "Check the network, then run make again."
}

install_npm_packages() {
    npm ci
    cat package.json package-lock.json .npmrc | cksum >node_modules/.signalbox
}

# The page loads uPlot at run time, from the Signalbox server.
vendored_scripts() {
    [ $PLANNING = no ] || return 0
    local from=node_modules/uplot/dist to=public/vendor/uplot-$UPLOT_VERSION
    [ "$to.js" -nt "$from/uPlot.esm.js" ] && [ "$to.css" -nt "$from/uPlot.min.css" ] && return
    mkdir -p public/vendor
    rm -f public/vendor/uplot-*
    cp "$from/uPlot.esm.js" "$to.js"
    cp "$from/uPlot.min.css" "$to.css"
}

# --- The browser for tests ---------------------------------------------------------------------------------

a_browser() {
    scripts/browser.sh >/dev/null && return
    [ -z "${CHROMIUM:-}" ] || die "CHROMIUM is set to $CHROMIUM, which is not a program. Correct the path, or unset CHROMIUM."
    packages "A browser (400 MB), for the tests" 40 chromium fonts-dejavu-core
}

# --- Other browser engines for tests ---------------------------------------------------------------------

# lacks ENGINE MISSING: whether scripts/engines.sh reports that MISSING is not installed; any reason if it is empty.
lacks() { scripts/engines.sh | grep "^$1.-.*$2.*is not installed" >/dev/null; }

# engine_packages ENGINE WHAT SECONDS PACKAGE...
engine_packages() {
    local engine=$1 what=$2 seconds=$3
    shift 3
    if [ $PLANNING = no ] && [ "$(id -u)" != 0 ]; then sudo -v; fi
    step "$what for the tests: apt-get install $*" "$seconds" apt_install "$@" ||
        say "  $what could not be installed; the tests in $engine will be skipped."
}

# Optional: the tests in an engine that is missing are skipped.
other_engines() {
    if may_install; then
        if lacks firefox firefox; then engine_packages Firefox "Firefox (300 MB)" 20 firefox-esr; fi
        if lacks webkit ''; then engine_packages WebKit "WebKit (220 MB)" 20 webkit2gtk-driver xvfb locales; fi
        # It must have the version of the browser, so it is of use for the system's Chromium only.
        if [ "$(scripts/browser.sh)" = /usr/bin/chromium ] && lacks chromium chromedriver; then
            engine_packages Chromium "chromedriver (25 MB)" 5 chromium-driver
        fi
    fi
    if lacks firefox firefox; then return; fi
    BUILT_TOOLS=no
    crate_tool geckodriver geckodriver "$GECKODRIVER_VERSION" 60 "for the tests in Firefox" --locked
    delete_builds
}

# --- The check of the API ------------------------------------------------------------------------------------

# Optional: without schemathesis, the check is skipped.
schemathesis_of_python() {
    have schemathesis && [ "$(schemathesis --version 2>/dev/null | awk '{ print $NF }')" = "$SCHEMATHESIS_VERSION" ] && return
    if ! python3 -c 'import ensurepip' 2>/dev/null; then
        may_install || return 0
        packages "Python with venv, for the check of the API" 10 python3 python3-venv
    fi
    step "schemathesis $SCHEMATHESIS_VERSION (90 MB), to check the API" 20 install_schemathesis ||
        say "  schemathesis could not be installed; the API will not be checked against its description."
}

install_schemathesis() {
    rm -rf "$TOOLS/python"
    python3 -m venv "$TOOLS/python"
    "$TOOLS/python/bin/pip" install --quiet --disable-pip-version-check "schemathesis==$SCHEMATHESIS_VERSION"
    ln -sf "$TOOLS/python/bin/schemathesis" "$TOOLS/bin/schemathesis"
}

# --- The proxy for tests -----------------------------------------------------------------------------------

# Optional: without nginx, the tests behind a proxy are skipped.
a_proxy() {
    have nginx || [ -x /usr/sbin/nginx ] && return
    may_install || return 0
    if [ $PLANNING = no ] && [ "$(id -u)" != 0 ]; then sudo -v; fi
    step "nginx for the tests behind a proxy: apt-get install nginx-light" 10 install_not_started nginx nginx-light ||
        say "  nginx could not be installed; the tests behind a proxy will be skipped."
}

# install_not_started SERVICES PACKAGE...: Debian starts a service on installation, unless policy-rc.d forbids it. The
# tests start the programs themselves.
install_not_started() {
    local services=$1 policy=/usr/sbin/policy-rc.d created=no installed=0
    shift
    if [ ! -e $policy ]; then
        # shellcheck disable=SC2016
        as_root sh -c 'printf "#!/bin/sh\nexit 101\n" >"$1" && chmod 755 "$1"' sh $policy
        created=yes
    fi
    apt_install "$@" || installed=$?
    if [ $created = yes ]; then as_root rm -f $policy; fi
    # Else they would start with the machine.
    # shellcheck disable=SC2086
    if have systemctl; then as_root systemctl disable $services 2>/dev/null || true; fi
    return $installed
}

# --- Prometheus and Alertmanager for tests -----------------------------------------------------------------

# Optional: without them, the tests of metrics and alerts in these programs are skipped.
prometheus_and_alertmanager() {
    have prometheus && have promtool && have prometheus-alertmanager && return
    may_install || return 0
    if [ $PLANNING = no ] && [ "$(id -u)" != 0 ]; then sudo -v; fi
    local packages="prometheus prometheus-alertmanager"
    # shellcheck disable=SC2086
    step "Prometheus and Alertmanager (140 MB) for the tests: apt-get install $packages" 15 \
        install_not_started "$packages" $packages ||
        say "  Prometheus could not be installed; the tests with Prometheus and Alertmanager will be skipped."
}

# --- Valgrind for tests --------------------------------------------------------------------------------------

# Optional: without it, the instructions of the hot paths are not counted.
a_profiler() {
    have valgrind && return
    may_install || return 0
    if [ $PLANNING = no ] && [ "$(id -u)" != 0 ]; then sudo -v; fi
    step "Valgrind (80 MB) to count instructions: apt-get install valgrind" 10 apt_install valgrind ||
        say "  Valgrind could not be installed; the instructions of the hot paths will not be counted."
}

# --- Shells for tests --------------------------------------------------------------------------------------

# Optional: completion is not tested in a shell that is missing.
other_shells() {
    have zsh && have fish && return
    may_install || return 0
    if [ $PLANNING = no ] && [ "$(id -u)" != 0 ]; then sudo -v; fi
    step "zsh and fish (40 MB) for the tests of completion: apt-get install zsh fish" 10 apt_install zsh fish ||
        say "  zsh and fish could not be installed; completion will be tested in bash only."
}

# ------------------------------------------------------------------------------------------------------------

everything() {
    a_c_compiler
    rust
    tools_of_rust
    node_and_npm
    npm_packages
    vendored_scripts
    if [ "$FOR" = fuzz ]; then a_cpp_compiler; fi
    if [ "$FOR" = test ]; then
        a_browser
        other_engines
        a_proxy
        prometheus_and_alertmanager
        a_profiler
        other_shells
        schemathesis_of_python
    fi
}

for program in curl git make; do
    have $program || say "Note: $program is missing; some steps may need it."
done
trust_what_the_system_trusts

# First counts the parts that are missing, so that each can say how much is left.
PLANNING=yes
everything
missing=$PARTS
if [ "$FOR" = build ]; then
    read -r parts seconds < <(scripts/build.sh --parts)
    PARTS=$((PARTS + parts)) LEFT=$((LEFT + seconds))
fi
PLANNING=no
if [ "$missing" -gt 0 ]; then
    heading "Setting up Signalbox: $PARTS parts, $(time_left "$LEFT")"
elif [ $PARTS -gt 0 ]; then
    heading "Building Signalbox"
fi
everything

if [ "$FOR" = build ]; then
    SIGNALBOX_PARTS_DONE=$PART SIGNALBOX_PARTS=$((PART + parts)) exec scripts/build.sh
fi
