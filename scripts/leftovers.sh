# What a run of the tests leaves behind: processes that it started and that still run, and temporary folders. Sourced by
# test.sh.
# shellcheck shell=bash

# How long processes that were told to end may take, seconds.
LEFTOVER_GRACE=10

# Gives the run a temporary folder of its own, and every process that it starts a mark in its environment.
mark_run() {
    RUN_FOLDER=$(mktemp -d "${TMPDIR:-/tmp}/signalbox-test.XXXXXX") || die "No temporary folder could be made."
    export TMPDIR=$RUN_FOLDER
    # Not SIGNALBOX_…: tests take those out of the environment of what they start.
    export TEST_RUN_OF_SIGNALBOX=$RUN_FOLDER
    # Caches of tools are kept on purpose, elsewhere.
    export PWTEST_CACHE_DIR=$TOOLS/cache/playwright NODE_DISABLE_COMPILE_CACHE=1
}

# Processes of the run: by the mark they inherited, or by the run's folder in their arguments or as where they are.
# One a line: pid and arguments.
left_processes() {
    local of pid
    for of in /proc/[0-9]*; do
        pid=${of#/proc/}
        # This shell and its subshells carry no mark: it was set after they were started.
        if grep -qzF "TEST_RUN_OF_SIGNALBOX=$RUN_FOLDER" "$of/environ" 2>/dev/null ||
            grep -qF "$RUN_FOLDER" "$of/cmdline" 2>/dev/null ||
            [[ $(readlink "$of/cwd" 2>/dev/null) == "$RUN_FOLDER"* ]]; then
            printf '%s %s\n' "$pid" "$(tr '\0' ' ' <"$of/cmdline" 2>/dev/null)"
        fi
    done
}

# left_behind PART: lists what is left of it, and fails where there is anything.
left_behind() {
    local processes='' folders until=$((SECONDS + LEFTOVER_GRACE))
    if [ -d /proc/self ]; then
        while processes=$(left_processes) && [ -n "$processes" ] && [ $SECONDS -lt $until ]; do sleep 0.2; done
    else
        SKIPPED+=("processes left by $1 (there is no /proc)")
    fi
    folders=$(find "$RUN_FOLDER" -mindepth 1 -maxdepth 1)
    [ -n "$processes$folders" ] || return 0
    say "'$1' passed, and left something behind."
    [ -z "$processes" ] || { say "Processes that still run, and hold their sockets open:" && printf '%s\n' "$processes" | sed 's/^/    /'; }
    [ -z "$folders" ] || { say "Temporary files and folders:" && printf '%s\n' "$folders" | sed 's/^/    /'; }
    return 1
}
