#!/bin/sh
# Installs the units for celeriac and enables a service for each node of CELERYD_NODES; starts nothing. May be run again at any time,
# and is to be run again when the nodes or their user have changed in /etc/default/celeriac.
#   install.sh [--uninstall]        DESTDIR=/some/root puts the files there and leaves this machine alone
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=${DESTDIR:-}
units=$root/etc/systemd/system
defaults=$root/etc/default/celeriac
tmpfiles=$root/etc/tmpfiles.d/celeriac.conf
dropin=$units/celeriac@.service.d

die() {
  echo "install.sh: $*" >&2
  exit 1
}

# The last value that the file gives a name, without quotes. The file is systemd's, and no shell script.
setting() {
  sed -n "s/^[[:space:]]*$1=//p" "$defaults" | tail -n 1 | tr -d "\"'"
}

on_this_machine() {
  [ -z "$root" ] && [ -d /run/systemd/system ]
}

enabled_nodes() {
  for link in "$units"/celeriac.target.wants/celeriac@*.service; do
    [ -L "$link" ] || continue
    name=${link##*/celeriac@}
    echo "${name%.service}"
  done
}

# As Celery has it, a number alone means so many nodes.
wanted_nodes() {
  nodes=$(setting CELERYD_NODES)
  case $nodes in
    *[!0-9]* | '') printf '%s\n' $nodes ;;
    *) seq -f 'celery%g' "$nodes" ;;
  esac
}

uninstall() {
  if on_this_machine; then systemctl stop celeriac.target 'celeriac@*.service'; fi
  for node in $(enabled_nodes); do rm -f "$units/celeriac.target.wants/celeriac@$node.service"; done
  rm -f "$units/multi-user.target.wants/celeriac.target" "$units/celeriac.target" "$units/celeriac@.service"
  rm -f "$dropin/user.conf" "$tmpfiles"
  rmdir "$units/celeriac.target.wants" "$dropin" 2>/dev/null || true
  # Settings that somebody wrote stay.
  if cmp -s "$here/celeriac.default" "$defaults"; then rm -f "$defaults"; fi
  if on_this_machine; then systemctl daemon-reload; fi
}

write_user() {
  user=$(setting CELERYD_USER)
  group=$(setting CELERYD_GROUP)
  if [ -z "$user" ]; then
    rm -f "$dropin/user.conf"
    return
  fi
  mkdir -p "$dropin"
  {
    echo '# Written by install.sh from /etc/default/celeriac.'
    echo '[Service]'
    echo 'DynamicUser=no'
    echo "User=$user"
    if [ -n "$group" ]; then echo "Group=$group"; fi
  } >"$dropin/user.conf"
}

install_all() {
  install -d "$units" "$root/etc/default" "$root/etc/tmpfiles.d" "$root/etc/celeriac"
  if [ ! -e "$defaults" ]; then install -m 0640 "$here/celeriac.default" "$defaults"; fi
  nodes=$(wanted_nodes)
  for node in $nodes; do
    case $node in *[!A-Za-z0-9_.-]*) die "CELERYD_NODES: $node: a node is named by letters, digits, dots, - and _ alone" ;; esac
  done
  install -m 0644 "$here/celeriac@.service" "$here/celeriac.target" "$units"
  install -m 0644 "$here/celeriac.tmpfiles.conf" "$tmpfiles"
  write_user
  for node in $(enabled_nodes); do rm -f "$units/celeriac.target.wants/celeriac@$node.service"; done
  install -d "$units/celeriac.target.wants" "$units/multi-user.target.wants"
  ln -sf ../celeriac.target "$units/multi-user.target.wants/celeriac.target"
  for node in $nodes; do ln -sf ../celeriac@.service "$units/celeriac.target.wants/celeriac@$node.service"; done
  if on_this_machine; then
    systemd-tmpfiles --create "$tmpfiles"
    systemctl daemon-reload
    echo 'Installed. To start the nodes: systemctl start celeriac.target'
  fi
}

case ${1:-} in
  '') install_all ;;
  --uninstall) uninstall ;;
  *) die "unknown argument $1" ;;
esac
