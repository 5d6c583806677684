#!/bin/sh
# inRoot.sh ROOT COMMAND ARG... : runs a command of another Debian release, whose files are under ROOT, in the present directory; without a
# ROOT it is this machine's command. It sees this machine's processes, devices, temporary files and the project. The mounts for that are in a
# namespace of its own, so that nothing stays mounted, however it ends. It becomes the command: its process id is the command's.
set -eu
root=$1
shift
[ -n "$root" ] || exec "$@"
[ "$(id -u)" -eq 0 ] || {
  echo "Commands under $root can be run by root alone." >&2
  exit 1
}
export CELERIAC_IN_ROOT="$root" CELERIAC_PROJECT="$(cd "$(dirname "$0")/../.." && pwd -P)"
exec unshare --mount --propagation private /bin/sh -euc '
for at in /proc /dev /sys "${TMPDIR:-/tmp}" "$CELERIAC_PROJECT" /etc/hosts /etc/resolv.conf; do
  if [ -d "$at" ]; then mkdir -p "$CELERIAC_IN_ROOT$at"; else : >>"$CELERIAC_IN_ROOT$at"; fi
  mount --rbind "$at" "$CELERIAC_IN_ROOT$at"
done
exec chroot "$CELERIAC_IN_ROOT" /usr/bin/env -u CELERIAC_IN_ROOT -u CELERIAC_PROJECT -C "$PWD" "$@"
' inRoot "$@"
