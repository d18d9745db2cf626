#!/usr/bin/env bash
# Set-up, then the server and the page rebuilt and reloaded at each change. Pages are parts that come by themselves
# (`--split`), in this build as in the one that ships. Arguments go to `signalbox serve`.
set -euo pipefail
. "$(dirname "$0")/paths.sh"

scripts/setup.sh serve
exec cargo leptos watch --split -- serve "$@"
