# What the scripts of this folder share; sourced by bash, never run.
# shellcheck shell=bash
set -euo pipefail
export LC_ALL=C

# The exit status of every script here when the package mirror failed, so that nobody takes it for a test failure.
readonly k_mirror_failed=75

say() { printf '%s: %s\n' "tools/${0##*/}" "$*" >&2; }
die() { say "$*"; exit 1; }
mirror_died() {
  say "the package mirror failed, not the build and not a test: $*"
  say "check the network and apt's sources, then run the command again"
  exit "$k_mirror_failed"
}

# Runs a command that needs the mirror until it succeeds, four times at most; its output goes to stderr.
with_retries() {
  local pause
  for pause in 3 10 30 0; do
    "$@" >&2 && return 0
    [ "$pause" = 0 ] && return 1
    say "the package mirror did not answer as it should; trying again in $pause s"
    sleep "$pause"
  done
}
