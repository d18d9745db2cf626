#!/usr/bin/env bash
# Checks the API of the built server against its OpenAPI description with schemathesis: server errors, status codes,
# content types, response bodies, methods. Arguments go to schemathesis:
#   scripts/api.sh --max-examples 500
set -euo pipefail
. "$(dirname "$0")/paths.sh"
. "$ROOT/scripts/messages.sh"

have schemathesis || die "schemathesis is missing." "Run:  make setup"
folder=$(mktemp -d)
cleanup() {
    if [ -n "${server:-}" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "$folder"
}
trap cleanup EXIT

# With a shared token: without one, the first token that is created would shut all other requests out.
export SIGNALBOX_TOKEN=of-the-check-of-the-api
"$SERVER" serve --site "$SITE" --data "$folder/data" --listen 127.0.0.1:0 --ready-file "$folder/ready" \
    >"$folder/server.log" 2>&1 &
server=$!
until [ -s "$folder/ready" ]; do
    kill -0 "$server" 2>/dev/null || die "The server did not start:" "$(cat "$folder/server.log")"
    sleep 0.1
done
url=$(cat "$folder/ready")

# Two ended operations, so that requests about one find it; a delete gets an ID of its own.
# Without an agent, which would outlive the check.
started() { SIGNALBOX_AGENT=off "$SERVER" start data.load symbol=ACME timeframe=1h source=synthetic years=1 --follow --server "$url" 2>/dev/null; }
shown=$(started) || die "A load could not be started:" "$(cat "$folder/server.log")"
deleted=$(started)
cat >"$folder/schemathesis.toml" <<CONFIG
[parameters]
"path.id" = "$shown"
"path.kind" = "data.load"

[[operations]]
include-method = "DELETE"
parameters = { "path.id" = "$deleted" }
CONFIG

# The event stream never ends, and a start or a cancel of everything is not what this checks.
cd "$folder"
checks=not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,unsupported_method
schemathesis --config-file "$folder/schemathesis.toml" run "$url/openapi.json" --checks "$checks" --seed 1 \
    --exclude-path /api/v1/events --max-examples 25 --request-timeout 10 --no-color \
    --header "Authorization: Bearer $SIGNALBOX_TOKEN" "$@" ||
    die "The API differs from docs/openapi.json; the requests to repeat are above." "The server's log ends:" \
        "$(tail -n 5 "$folder/server.log")"
