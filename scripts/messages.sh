# Output of the scripts: one line per long step, and advice on failure.
# shellcheck shell=bash

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    BOLD=$(printf '\033[1m') RED=$(printf '\033[31m') PLAIN=$(printf '\033[0m')
else
    BOLD='' RED='' PLAIN=''
fi

say() { printf '%s\n' "$*"; }
heading() { printf '\n%s%s%s\n' "$BOLD" "$*" "$PLAIN"; }
have() { command -v "$1" >/dev/null 2>&1; }

# die WHAT_HAPPENED [WHAT_TO_DO...]: prints each on its own line and exits.
die() {
    printf '\n%s%s%s\n' "$RED" "$1" "$PLAIN" >&2
    shift
    [ $# -eq 0 ] || printf '%s\n' "$@" >&2
    exit 1
}

# step NAME HOW_LONG COMMAND...: runs a command with its output in a log, and shows the end of the log on failure.
step() {
    local name=$1 how_long=$2 log started
    shift 2
    log=$TOOLS/log/$(printf '%s' "$name" | tr -c 'A-Za-z0-9.\n' '-').log
    mkdir -p "$TOOLS/log"
    printf '  %s (%s) … ' "$name" "$how_long"
    started=$SECONDS
    if "$@" >"$log" 2>&1 </dev/null; then
        printf 'done in %s\n' "$(duration $((SECONDS - started)))"
    else
        printf '%sfailed%s after %s. Last lines of %s:\n' "$RED" "$PLAIN" "$(duration $((SECONDS - started)))" "$log"
        tail -n 25 "$log" | sed 's/^/    /'
        return 1
    fi
}

# duration SECONDS: "42 s" or "3 min 07 s".
duration() {
    if [ "$1" -lt 60 ]; then
        printf '%d s' "$1"
    else
        printf '%d min %02d s' $(($1 / 60)) $(($1 % 60))
    fi
}

# at_least HAVE WANT: compares versions number by number.
at_least() {
    local IFS=. i
    # shellcheck disable=SC2206
    local have=(${1%%-*}) want=($2)
    for i in 0 1 2; do
        [ "${have[i]:-0}" -gt "${want[i]:-0}" ] && return 0
        [ "${have[i]:-0}" -lt "${want[i]:-0}" ] && return 1
    done
    return 0
}
