#!/bin/sh
# test.sh [PLUGIN.so] - run atamo-plugin-check on the plugin; without PLUGIN.so, build it first with
# cc and pkg-config. Exit 77: there is no atamo-plugin-check.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
check=${ATAMO_PLUGIN_CHECK:-atamo-plugin-check}
plugin=${1:-}
if [ -z "$plugin" ]; then
  top=$(mktemp -d)
  trap 'rm -rf "$top"' EXIT
  plugin=$top/@ID@.so
  # shellcheck disable=SC2046
  ${CC:-cc} -std=c11 -Wall -Wextra $(pkg-config --cflags atamo-sdk) -shared -fPIC \
    "$here/plugin.c" -o "$plugin"
fi
command -v "$check" >/dev/null || { echo "atamo-plugin-check is not installed: skipped"; exit 77; }
"$check" "$plugin"
