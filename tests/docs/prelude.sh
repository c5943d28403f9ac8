# What a reader has around him: the binary, and a terminal for each thing that goes on running.
set -o pipefail
shopt -s expand_aliases
[ -f exported ] && source ./exported 2>/dev/null
export REDELIVER_SERVER=http://127.0.0.1:$BROKER

# Runs in a terminal of its own: comes back once it has said that it is there.
aside() {
  local said="aside-$RANDOM$RANDOM"
  "$@" >"$said" 2>&1 </dev/null &
  local pid=$!
  echo "$pid" >>pids
  for _ in $(seq 600); do
    grep -q -i 'listening\|^id:\|^event:\|: ' "$said" && return 0
    kill -0 "$pid" 2>/dev/null || { cat "$said"; wait "$pid"; return; }
    sleep 0.05
  done
  cat "$said"
  return 1
}

redeliver() {
  case "$1 ${2-} $*" in
    "serve "*--check*) "$BINARY" "$@" ;;
    "serve "*) aside "$BINARY" "$@" --listen "127.0.0.1:$BROKER" ;;
    "listen "*) aside "$BINARY" "$@" --listen "127.0.0.1:$RECEIVER" ;;
    "mock server "*--listen*) aside "$BINARY" "$@" ;;
    "mock server "* | "mock zenovay "* | "mock zebline "*) aside "$BINARY" "$@" --listen 127.0.0.1:0 ;;
    "event tail "*) aside "$BINARY" "$@" ;;
    *) "$BINARY" "$@" ;;
  esac
}

# A stream has no end of its own.
curl() {
  case " $* " in
    *" -N "*)
      command curl -sS --fail --max-time 2 "$@" | grep -q . && return 0
      [ "${PIPESTATUS[0]}" = 28 ]
      ;;
    *) command curl -sS --fail-with-body "$@" ;;
  esac
}

# Built already, and tested by the others.
cargo() {
  case "$1" in
    run)
      while [ $# -gt 0 ] && [ "$1" != -- ]; do shift; done
      shift
      [ "$1" = bench ] || redeliver "$@"
      ;;
    *) : ;;
  esac
}
