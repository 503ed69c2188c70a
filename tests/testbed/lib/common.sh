# shellcheck shell=bash
# What every command of the test bed shares: its places, and how a process is started, known and ended.

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
ROOT=$(cd "$HERE/../.." && pwd)
# shellcheck disable=SC2034 # used by those who source this
TENANTS=(acme globex)

say() { printf 'testbed: %s\n' "$*"; }
fail() {
  printf 'testbed: %s\n' "$*" >&2
  exit 1
}
now_ms() { date +%s%3N; }

# use_bed NAME: sets BED, the folder of one bed. A sourced env file names it too, so that every command acts on that bed.
use_bed() {
  if [ -n "$1" ]; then
    [[ $1 =~ ^[a-z0-9-]+$ ]] || fail "a bed's name is made of a-z, 0-9 and -: $1"
    BED=$(default_bed)-$1
  else
    BED=${PARTYWALL_TESTBED_DIR:-$(default_bed)}
  fi
}
default_bed() {
  local target=${CARGO_TARGET_DIR:-$ROOT/target}
  [[ $target = /* ]] || target=$ROOT/$target
  printf '%s/testbed' "$target"
}

# The binaries of one set of go.sum files, outside the repository, so that every checkout shares them.
cache_dir() {
  local base=${PARTYWALL_TESTBED_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/partywall-testbed} sum
  sum=$(cd "$HERE" && cat modules/*/go.mod modules/*/go.sum openbao.txt | sha256sum | cut -c1-16)
  printf '%s/%s-%s' "$base" "$sum" "$(uname -m)"
}

# find_binary NAME: where a server binary comes from; fails in silence where it is not to be had.
find_binary() {
  local name=$1 given=
  # built from a source of our own: its name holds that source's hash
  [ "$name" != wire ] || name=wire-$(sha256sum <"$HERE/lib/wire.go" | cut -c1-12)
  case $name in
    bao) given=${PARTYWALL_TEST_VAULT:-} ;;
    *) [ -z "${KUBEBUILDER_ASSETS:-}" ] || given=$KUBEBUILDER_ASSETS/$name ;;
  esac
  if [ -n "$given" ] && [ -x "$given" ]; then
    printf '%s' "$given"
  elif [ -x "$(cache_dir)/$name" ]; then
    printf '%s/%s' "$(cache_dir)" "$name"
  elif [ "$name" = kubectl ]; then
    command -v kubectl
  else
    return 1
  fi
}

# --- processes: known by id and start time, so that a number used again is never taken for ours ---

start_time() {
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  # the second field is the name in brackets and may hold blanks: count behind it
  # shellcheck disable=SC2086
  set -- ${stat##*) }
  # an ended process that nobody has asked after yet (state Z) is not running
  [ "$1" != Z ] && printf '%s' "${20}"
}

# same_process PID START: is that very process still running?
same_process() { [ -n "${2:-}" ] && [ "$(start_time "$1")" = "$2" ]; }

alive() {
  local pid started
  [ -f "$BED/pid/$1" ] && read -r pid started <"$BED/pid/$1" && same_process "$pid" "$started"
}

# start NAME COMMAND...: in the background, deaf to the terminal, holding none of our locks (8: bed, 9: node).
start() {
  local name=$1
  shift
  alive "$name" && return 0
  PARTYWALL_TESTBED_OF=$BED setsid nohup "$@" >>"$BED/log/$name.log" 2>&1 </dev/null 8>&- 9>&- &
  printf '%s %s\n' $! "$(start_time $!)" >"$BED/pid/$name"
}

# stop NAME...: ends them together; the hard way after GRACE seconds (10).
stop() {
  local name pid started
  for name in "$@"; do
    alive "$name" && read -r pid started <"$BED/pid/$name" && kill "$pid" 2>/dev/null
  done
  for name in "$@"; do
    for _ in $(seq $((${GRACE:-10} * 20))); do alive "$name" && sleep 0.05 || break; done
    alive "$name" && read -r pid started <"$BED/pid/$name" && kill -9 "$pid" 2>/dev/null
    rm -f "$BED/pid/$name"
  done
  return 0
}

# stop_strays BED: ends what a bed started and no longer knows of, because its folder was deleted (cargo clean) under it.
# Every process of a bed carries the bed's path in its environment.
stop_strays() {
  local file pid
  for file in $(grep -lzxF "PARTYWALL_TESTBED_OF=$1" /proc/[0-9]*/environ 2>/dev/null); do
    pid=${file#/proc/}
    pid=${pid%/environ}
    # the watchdog that called us is one of them
    [ "$pid" = $$ ] || [ "$pid" = "$PPID" ] || kill -9 "$pid" 2>/dev/null || true
  done
}

# wait_for NAME SECONDS WHAT COMMAND...: until the command succeeds; gives up at once when process NAME has died.
wait_for() {
  local name=$1 seconds=$2 what=$3
  shift 3
  local end=$(($(now_ms) + seconds * 1000))
  until "$@" >/dev/null 2>&1; do
    if ! alive "$name"; then
      tail -n 20 "$BED/log/$name.log" >&2
      fail "$name died while waiting for $what (log: $BED/log/$name.log)"
    fi
    [ "$(now_ms)" -lt "$end" ] || fail "gave up after $seconds s waiting for $what (logs: $BED/log)"
    sleep 0.05
  done
}

# lock_bed: one command at a time changes a bed. The lock lies beside the folder, which `down` removes.
lock_bed() {
  mkdir -p "$(dirname "$BED")"
  exec 8>"$BED.lock"
  flock -w 600 8 || fail "another command holds $BED.lock"
}

# need_bed: for the commands that act on a running bed
need_bed() {
  [ -f "$BED/env" ] || fail "no bed is up in $BED: run tests/testbed/up"
  # shellcheck disable=SC1091
  . "$BED/env"
}

# free_ports N: N numbers below the range the kernel takes for outgoing connections, free on loopback just now
free_ports() {
  python3 - "$1" <<'P'
import random, socket, sys
held = []
while len(held) < int(sys.argv[1]):
    s = socket.socket()
    try:
        s.bind(("127.0.0.1", random.randint(20000, 29999)))
        held.append(s)
    except OSError:
        s.close()
print(*[s.getsockname()[1] for s in held])
P
}

kube() { "$BED/bin/kubectl" --kubeconfig "$BED/admin.kubeconfig" "$@"; }
