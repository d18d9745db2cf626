#!/usr/bin/env bash
# Runs the setup, the build, and the server in the foreground. Arguments are passed to `signalbox serve`.
set -euo pipefail
. "$(dirname "$0")/paths.sh"
. "$ROOT/scripts/messages.sh"

scripts/setup.sh build
# The server prints its URL when it is ready.
exec "$SERVER" serve --site "$SITE" "$@"
