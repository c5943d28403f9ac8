#!/usr/bin/env bash
# A receiver tested in a pipeline with nothing but the binary and curl:
#
#     REDELIVER=path/to/redeliver examples/ci/receiver.sh
#
# The receiver here is `redeliver listen`; put your own in its place.
set -euo pipefail

redeliver=${REDELIVER:-redeliver}
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; wait; rm -rf "$work"' EXIT

# The first line says where it listens.
address() {
  for _ in $(seq 600); do
    # The program in the background may not have made its file yet.
    if [ -s "$1" ] && read -r line <"$1"; then
      echo "${line##* }"
      return
    fi
    sleep 0.1
  done
  echo "it did not start: $1" >&2
  return 1
}

echo site-key >"$work/key"
"$redeliver" listen --listen 127.0.0.1:0 --hotjar-key "file:$work/key" --any-age \
  --respond 500x2,200 >"$work/receiver" &
to=$(address "$work/receiver")

"$redeliver" mock hotjar --to "$to" --key-file "$work/key" --listen 127.0.0.1:0 \
  --clock manual >"$work/vendor" &
vendor=$(address "$work/vendor")

post() { curl -sS --fail-with-body -H 'Content-Type: application/json' -d "$2" "$vendor$1" && echo; }

post /v1/trigger '{"sample": "survey_response", "set": {"data.survey_id": 7}}'
curl -sS --fail-with-body "$vendor/v1/wait?status=waiting" >/dev/null
post /v1/clock/advance '{"by": "90s"}'
curl -sS --fail-with-body "$vendor/v1/wait?status=delivered" | grep -q '"attempt_count":3'
echo "delivered at the third attempt, a minute and a half later"
