# Output of the scripts: one line per long step, and advice on failure.
# shellcheck shell=bash

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    BOLD=$(printf '\033[1m') RED=$(printf '\033[31m') PLAIN=$(printf '\033[0m')
else
    BOLD='' RED='' PLAIN=''
fi

# On a terminal, the line of a part is rewritten.
if [ -t 1 ]; then
    LINE_START=$(printf '\r\033[K') LINE_END=''
else
    LINE_START='' LINE_END=$'\n'
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

# Parts of the set-up and the build: number of the current one, how many there are, and the expected seconds left.
PART=0 PARTS=0 LEFT=0
# While it is yes, `step` only counts.
PLANNING=no

# step NAME SECONDS COMMAND...: runs one part with its output in a log, and shows the end of the log on failure.
step() {
    local name=$1 seconds=$2 log started
    shift 2
    if [ $PLANNING = yes ]; then
        PARTS=$((PARTS + 1)) LEFT=$((LEFT + seconds))
        return
    fi
    PART=$((PART + 1))
    # The plan can't know everything.
    [ $PARTS -ge $PART ] || PARTS=$PART
    [ $LEFT -ge "$seconds" ] || LEFT=$seconds
    log=$TOOLS/log/$(printf '%s' "$name" | tr -c 'A-Za-z0-9.\n' '-').log
    mkdir -p "$TOOLS/log"
    printf '[%d/%d] %s · %s%s' $PART $PARTS "$name" "$(time_left $LEFT)" "$LINE_END"
    started=$SECONDS
    if "$@" >"$log" 2>&1 </dev/null; then
        printf '%s[%d/%d] %s · done in %s\n' "$LINE_START" $PART $PARTS "$name" "$(duration $((SECONDS - started)))"
        LEFT=$((LEFT - seconds))
    else
        printf '%s[%d/%d] %s · %sfailed%s after %s. Last lines of %s:\n' "$LINE_START" $PART $PARTS "$name" "$RED" "$PLAIN" \
            "$(duration $((SECONDS - started)))" "$log"
        tail -n 25 "$log" | sed 's/^/    /'
        return 1
    fi
}

# time_left SECONDS: "about 4 min left".
time_left() {
    if [ "$1" -lt 45 ]; then
        printf 'less than a minute left'
    else
        printf 'about %d min left' $((($1 + 30) / 60))
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
