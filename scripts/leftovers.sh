# Detects leftovers of a test run: processes that are still running, and temporary folders. Sourced by test.sh.
# shellcheck shell=bash

# Seconds that processes get to exit.
LEFTOVER_GRACE=10

# Creates a temporary folder for the run, and marks all of its processes by an environment variable.
mark_run() {
    RUN_FOLDER=$(mktemp -d "${TMPDIR:-/tmp}/signalbox-test.XXXXXX") || die "Can't create a temporary folder."
    export TMPDIR=$RUN_FOLDER
    # The name does not start with SIGNALBOX_, because tests remove such variables from child processes.
    export TEST_RUN_OF_SIGNALBOX=$RUN_FOLDER
    # Tool caches are kept, outside of the temporary folder.
    export PWTEST_CACHE_DIR=$TOOLS/cache/playwright NODE_DISABLE_COMPILE_CACHE=1
}

# Lists the processes of the run, found by the inherited mark, or by the run's folder in their arguments or working
# directory. One per line: PID and arguments.
left_processes() {
    local of pid
    for of in /proc/[0-9]*; do
        pid=${of#/proc/}
        # This shell has no mark, because it was set after the shell started.
        if grep -qzF "TEST_RUN_OF_SIGNALBOX=$RUN_FOLDER" "$of/environ" 2>/dev/null ||
            grep -qF "$RUN_FOLDER" "$of/cmdline" 2>/dev/null ||
            [[ $(readlink "$of/cwd" 2>/dev/null) == "$RUN_FOLDER"* ]]; then
            printf '%s %s\n' "$pid" "$(tr '\0' ' ' <"$of/cmdline" 2>/dev/null)"
        fi
    done
}

# left_behind PART: lists the leftovers of a part, and fails if there are any.
left_behind() {
    local processes='' folders until=$((SECONDS + LEFTOVER_GRACE))
    if [ -d /proc/self ]; then
        while processes=$(left_processes) && [ -n "$processes" ] && [ $SECONDS -lt $until ]; do sleep 0.2; done
    else
        SKIPPED+=("leftover processes of $1 (no /proc on this system)")
    fi
    folders=$(find "$RUN_FOLDER" -mindepth 1 -maxdepth 1)
    [ -n "$processes$folders" ] || return 0
    say "'$1' passed, but left processes or files behind."
    [ -z "$processes" ] || { say "Processes still running:" && printf '%s\n' "$processes" | sed 's/^/    /'; }
    [ -z "$folders" ] || { say "Temporary files and folders:" && printf '%s\n' "$folders" | sed 's/^/    /'; }
    return 1
}
