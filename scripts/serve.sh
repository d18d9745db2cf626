#!/usr/bin/env bash
# Set-up, build, and the server in the foreground. Arguments go to `signalbox serve`.
set -euo pipefail
. "$(dirname "$0")/paths.sh"
. "$ROOT/scripts/tell.sh"

scripts/setup.sh serve
scripts/build.sh
# The server says its address itself, when it listens.
exec "$SERVER" serve --site "$SITE" "$@"
