#!/bin/sh
# What `atamo plugin new` writes builds with plain cc and passes the conformance check.
# Nothing is overwritten.
set -eu
check=$ATAMO_BUILD_DIR/bin/atamo-plugin-check
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
cd "$top"

for kind in agent rule-provider auditor event-provider; do
  "$ATAMO" plugin new "$kind" "my-$kind"
  cc -std=c11 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror \
    "-I$ATAMO_SOURCE_DIR/sdk/include" -shared -fPIC "my-$kind/plugin.c" -o "my-$kind.so"
  ATAMO_PLUGIN_CHECK=$check sh "my-$kind/test.sh" "$top/my-$kind.so"
done

code=0
"$ATAMO" plugin new agent my-agent 2>said || code=$?
[ "$code" = 1 ] && grep 'nothing is overwritten' said
code=0
"$ATAMO" plugin new agent 'My/Agent' 2>said || code=$?
[ "$code" = 2 ] && grep 'lower-case' said
