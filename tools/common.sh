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

# Makes the folder $scratch, removed at the end, and as_user, the words that run a command as the ordinary user $user
# with a clean environment: the user udocker-test when root asks, else who asks.
prepare_scratch() {
  scratch=$(mktemp -d "${TMPDIR:-/tmp}/udocker-test.XXXXXX")
  trap 'remove_scratch' EXIT
  trap 'exit 1' INT TERM HUP
  chmod 755 "$scratch"
  local clean=(env -i HOME="$scratch/home" PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin LC_ALL=C.UTF-8 TMPDIR="$scratch/tmp")
  if [ "$(id -u)" = 0 ]; then
    user=udocker-test
    id "$user" >/dev/null 2>&1 || useradd --home-dir /nonexistent --shell /bin/sh "$user"
    as_user=(runuser -u "$user" -- "${clean[@]}")
  else
    user=$(id -un)
    # shellcheck disable=SC2034
    as_user=("${clean[@]}")
  fi
  mkdir "$scratch/home" "$scratch/tmp"
  give_scratch
}

# Hands everything in the scratch folder to the ordinary user.
give_scratch() {
  [ "$(id -u)" != 0 ] || chown -R "$user": "$scratch"
}

remove_scratch() {
  chmod -R u+rwX "$scratch" 2>/dev/null || true
  rm -rf "$scratch"
}

# Configures and builds preset $1 in the current folder; the other words go to the build tool. Shows the end of the
# output if that fails.
build_preset() {
  local log=$scratch/build.log preset=$1
  shift
  say "building preset $preset"
  if ! cmake --preset "$preset" >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    ! grep -q 'the package mirror failed' "$log" || mirror_died "the libraries could not be fetched"
    return 1
  fi
  cmake --build "build/$preset" -j "$(nproc)" -- "$@" >"$log" 2>&1 || { tail -n 60 "$log" >&2; return 1; }
}

# Makes the guest images named by the other words, and sets image_cache to where they are.
make_images() {
  local status=0
  /usr/bin/python3 tests/blackbox/images.py "$@" >"$scratch/images" || status=$?
  [ "$status" != "$k_mirror_failed" ] || exit "$k_mirror_failed"
  [ "$status" = 0 ] || die "the images could not be made"
  # shellcheck disable=SC2034
  image_cache=$(dirname "$(awk 'NR == 1 { print $2 }' "$scratch/images")")
}

# Copies what the programs of tests/blackbox need to $scratch/project, with the executable $1: a checkout below a
# private home cannot be read by the scratch user.
copy_project() {
  mkdir -p "$scratch/project/tests"
  cp -r tests/blackbox tests/fixtures tests/skips.txt "$scratch/project/tests/"
  cp -r tools docs "$scratch/project/"
  cp "$1" "$scratch/project/udocker"
  [ ! -e "$1.debug" ] || cp "$1.debug" "$scratch/project/udocker.debug"
  give_scratch
}

# Runs a command of tests/blackbox as the ordinary user, with the executable and the images that the tests use.
in_blackbox() {
  (cd "$scratch/project/tests/blackbox" && "${as_user[@]}" UDOCKER_EXECUTABLE="$scratch/project/udocker" \
    UDOCKER_TEST_CACHE="$image_cache" PYTHONDONTWRITEBYTECODE=1 "$@" >&2)
}

# Runs pytest there; the results go to the JUnit file $1, the other words to pytest.
run_pytest() {
  local output=$1
  shift
  in_blackbox /usr/bin/python3 -m pytest -q -p no:cacheprovider -n "$(nproc)" --rootdir=. --basetemp="$scratch/pytest" \
    --junitxml="$output" -rf --tb=short "$@" || true
}

# Ends a run of tests: adds up the JUnit files given and prints `N passed, N failed, N skipped`.
summarize() {
  local probe=() word
  for word in "${as_user[@]}"; do probe+=("--probe-as=$word"); done
  /usr/bin/python3 tools/summary.py "${probe[@]}" "$@"
}
