# Sourced by bin/test: the specs against other versions of RabbitMQ, Celery, Redis and Node.js, a cell for each.
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/celeriac
ALL_CELLS=(rabbitmq-4.0 rabbitmq-4.3 celery-5.5 celery-5.6 valkey-8 valkey-9 redis-8 node-22 node-24)
# What talks to the outside.
CELL_SPECS=(spec/broker spec/peers spec/backends spec/amqp)

# Debian releases, and what each of them holds: trixie RabbitMQ 4.0, Celery 5.5, Valkey 8, Redis 8.0; forky RabbitMQ 4.3, Celery 5.6, Valkey 9.
cells_of() {
  case $1 in
    all) printf '%s\n' "${ALL_CELLS[@]}" ;;
    rabbitmq-4 | valkey | celery | node) printf '%s\n' "${ALL_CELLS[@]}" | grep "^$1[-.]" ;;
    *) printf '%s\n' "${ALL_CELLS[@]}" | grep -Fx -- "$1" || fail "No cell is called $1. There are: all, rabbitmq-4, celery, valkey, node, ${ALL_CELLS[*]}." ;;
  esac
}

# root_of RELEASE : the folder of that Debian release. Made on first use, which takes some minutes.
root_of() {
  local release=$1 root=$CACHE/roots/$1
  if [ ! -d "$root" ]; then
    [ "$(id -u)" -eq 0 ] || fail "This cell runs servers of Debian $release under $root; only root can make that folder and run them."
    install_packages debootstrap >&2
    mkdir -p "$CACHE/roots"
    say "making $root"
    make_root "$release" "$root" >"$root.log" 2>&1 || fail "Debian $release could not be installed; see $root.log."
  fi
  printf '%s' "$root"
}

# In a mount namespace of its own, so that nothing stays mounted, and under another name until it is whole.
make_root() {
  local script=/usr/share/debootstrap/scripts/$1
  [ -e "$script" ] || script=/usr/share/debootstrap/scripts/sid
  rm -rf --one-file-system "$2.making"
  unshare --mount --propagation private bash -euc '
    release=$1 root=$2 mirror=$3 script=$4
    debootstrap --variant=minbase --include=ca-certificates "$release" "$root" "$mirror" "$script"
    printf "#!/bin/sh\nexit 101\n" >"$root/usr/sbin/policy-rc.d"
    chmod +x "$root/usr/sbin/policy-rc.d"
    mountpoint -q "$root/proc" || mount --bind /proc "$root/proc"
    export DEBIAN_FRONTEND=noninteractive
    # A mirror that stands still for a while is signed all the same.
    apt="chroot $root apt-get -qq -o Acquire::Check-Valid-Until=false"
    $apt update
    $apt install -y --no-install-recommends rabbitmq-server celery python3-redis python3-gevent python3-yaml valkey-server redis-server
    $apt clean
  ' make_root "$1" "$2.making" "$(mirror)" "$script" && mv "$2.making" "$2"
}

# Where this machine gets its Debian from.
mirror() {
  apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Origin: Debian' 2>/dev/null | grep -v security | head -n 1 | grep . ||
    printf 'http://deb.debian.org/debian'
}

# node_of MAJOR : the folder of the newest Node.js of that line.
node_of() {
  local dir=$CACHE/node-$1
  [ -x "$dir/node_modules/node/bin/node" ] ||
    npm install --prefix "$dir" --no-audit --no-fund --loglevel=error "node@$1" >&2 || fail "npm could not install node@$1."
  printf '%s' "$dir/node_modules/node/bin"
}

# Says in the environment what the specs run against. RabbitMQ 4.3 needs a Celery of its time, which has exclusive mailboxes.
enter_cell() {
  case $1 in
    rabbitmq-4.0) CELERIAC_SPEC_RABBITMQ=$(root_of trixie) && CELERIAC_SPEC_PYTHON=$CELERIAC_SPEC_RABBITMQ ;;
    rabbitmq-4.3) CELERIAC_SPEC_RABBITMQ=$(root_of forky) && CELERIAC_SPEC_PYTHON=$CELERIAC_SPEC_RABBITMQ ;;
    celery-5.5) CELERIAC_SPEC_PYTHON=$(root_of trixie) ;;
    celery-5.6) CELERIAC_SPEC_PYTHON=$(root_of forky) ;;
    valkey-8) CELERIAC_SPEC_REDIS=$(root_of trixie) && CELERIAC_SPEC_REDIS_SERVER=valkey-server ;;
    valkey-9) CELERIAC_SPEC_REDIS=$(root_of forky) && CELERIAC_SPEC_REDIS_SERVER=valkey-server ;;
    redis-8) CELERIAC_SPEC_REDIS=$(root_of forky) ;;
    node-*) PATH=$(node_of "${1#node-}"):$PATH && CELL_SPECS+=(spec/app spec/cli spec/executors spec/line spec/package) ;;
  esac || exit 1
  export CELERIAC_SPEC_RABBITMQ CELERIAC_SPEC_PYTHON CELERIAC_SPEC_REDIS CELERIAC_SPEC_REDIS_SERVER PATH
}

versions() {
  local in=spec/support/inRoot.sh
  printf 'RabbitMQ %s, Celery %s, %s, Node.js %s' \
    "$("$in" "${CELERIAC_SPEC_RABBITMQ:-}" dpkg-query -W -f '${Version}' rabbitmq-server | sed 's/^[0-9]*://; s/-.*//')" \
    "$(spec/support/python3 -m celery --version | cut -d' ' -f1)" \
    "$("$in" "${CELERIAC_SPEC_REDIS:-}" "${CELERIAC_SPEC_REDIS_SERVER:-redis-server}" --version | sed -E 's/^(\w+) server v=([0-9.]+).*/\1 \2/')" \
    "$(node --version | tr -d v)"
}

# run_cell NAME : the specs and the demo, in a subshell. What they print goes to a log; the one line that tells of them to standard output.
run_cell() (
  local log=$CACHE/logs/$1.log counts=$CACHE/logs/$1.json demo=ok code=0 start=$SECONDS
  enter_cell "$1"
  mkdir -p "$CACHE/logs"
  rm -f "$counts"
  npm test --silent --ignore-scripts -- --ci --forceExit --maxWorkers=2 --json --outputFile="$counts" "${CELL_SPECS[@]}" >"$log" 2>&1 || code=1
  env -u CELERY_BROKER_URL node build/support/withBroker.js node build/packit/demo.js >>"$log" 2>&1 || code=1 demo=failed
  node -e '
    const [name, versions, file, demo, seconds, log] = process.argv.slice(1)
    let counts = { numPassedTests: 0, numFailedTests: "?" }
    try {
      counts = JSON.parse(require("node:fs").readFileSync(file, "utf8"))
    } catch {}
    const { numPassedTests: passed, numFailedTests: failed, numFailedTestSuites: suites = 0, testResults = [] } = counts
    console.log(`${name}: ${versions}: ${passed} passed, ${failed} failed, demo ${demo}, ${seconds} s`)
    for (const { assertionResults, message, name } of testResults) {
      const tests = assertionResults.filter(({ status }) => status === "failed").map(({ fullName }) => fullName)
      if (tests.length === 0 && message !== "") tests.push(message.split("\n")[0])
      for (const test of tests) console.log(`  ${require("node:path").relative(".", name)}: ${test}`)
    }
    if (failed !== 0 || suites !== 0 || demo !== "ok") console.log(`  see ${log}`)
  ' "$1" "$(versions)" "$counts" "$demo" $((SECONDS - start)) "$log"
  exit "$code"
)

# matrix NAME... : runs cells one after another. Fails if any has failed.
matrix() {
  local name cell found cells=() failed=0
  for name in "$@"; do
    found=$(cells_of "$name") || exit 1
    mapfile -t -O "${#cells[@]}" cells <<<"$found"
  done
  [ ${#cells[@]} -gt 0 ] || fail "bin/test --on NAME...; the names are: all, rabbitmq-4, celery, valkey, node, ${ALL_CELLS[*]}."
  for cell in "${cells[@]}"; do
    # Made before the clock starts.
    (enter_cell "$cell") || fail "$cell could not be set up."
  done
  for cell in "${cells[@]}"; do
    run_cell "$cell" || failed=1
  done
  return $failed
}
