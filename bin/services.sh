# Sourced by bin/demo and bin/test: what both need to be there before they can begin.
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

say() { printf '%s\n' "== $*" >&2; }
fail() {
  printf '%s\n' "$@" >&2
  exit 1
}

need_node() {
  command -v node >/dev/null || fail 'Node.js 20.19 or newer is needed, and there is no node on the PATH.'
  node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)' ||
    fail "Node.js 20.19 or newer is needed; this is $(node --version)."
}

# Whether node_modules holds what the lock file says, whoever installed it: npm writes down what it put there.
node_modules_are_installed() {
  node -e '
    const { existsSync, readFileSync } = require("node:fs")
    const packagesOf = (file) => JSON.parse(readFileSync(file, "utf8")).packages
    const { "": root, ...wanted } = packagesOf("package-lock.json")
    const found = packagesOf("node_modules/.package-lock.json")
    const isThere = ([path, { optional, version }]) =>
      found[path] ? found[path].version === version && existsSync(`${path}/package.json`) : optional
    process.exit(Object.entries(wanted).every(isThere) ? 0 : 1)
  ' 2>/dev/null
}

install_node_modules() {
  node_modules_are_installed && return
  say 'installing node_modules'
  npm ci --no-audit --no-fund --loglevel=error || fail 'npm ci failed.'
}

# install_packages PACKAGE... : Debian packages, those that are missing; their services aren't started.
install_packages() {
  local package missing=()
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    fail "Missing: ${missing[*]}. As root on Debian or Ubuntu: apt-get install ${missing[*]}" \
      'For a broker alone, a container does as well: docker run --rm -p 5672:5672 rabbitmq:3.13'
  fi
  say "installing ${missing[*]}"
  (
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
      trap 'rm -f "$policy"' EXIT
      printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy"
    fi
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
  ) >&2 || fail "apt-get could not install ${missing[*]}."
}

build() {
  npm run --silent build && npm run --silent build:spec
}
