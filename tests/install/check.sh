#!/usr/bin/env bash
# check.sh BUILD - what a stranger can do with an installed Atamo: install BUILD into a temporary
# folder and use nothing else. Public headers compile as C11 and C++17, pkg-config and find_package
# find them, an agent builds with plain cc and passes atamo-plugin-check, and so does whatever
# `atamo plugin new` writes.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$1
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
prefix=$top/prefix
strict="-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror"

step() { printf -- '-- %s\n' "$*"; }

step "install"
cmake --install "$build" --prefix "$prefix" >"$top/install.log" || { cat "$top/install.log"; exit 1; }
library=$(dirname "$(find "$prefix" -name libatamo.so)")
export PATH=$prefix/bin:$PATH PKG_CONFIG_PATH=$library/pkgconfig
cflags=$(pkg-config --cflags atamo-sdk)
step "pkg-config: $cflags"
[ -d "$(pkg-config --variable=includedir atamo-sdk)/atamo" ]
[ -f "$(pkg-config --variable=plugindir atamo-sdk)/log.so" ]
[ -z "$(pkg-config --libs atamo-sdk)" ] # a plugin links nothing
template=$(pkg-config --variable=templatedir atamo-sdk)
[ -d "$template" ]

step "every public header alone, and all together, in C11 and C++17"
headers=$(cd "$prefix/include" && find atamo -name '*.h' ! -name glib.h | sort)
printf '%s\n' "$headers" >"$top/headers"
sed 's/.*/#include <&>/' "$top/headers" >"$top/all.c"
cp "$top/all.c" "$top/all.cc"
while read -r header; do
  stem=$top/${header//[\/.]/_}
  printf '#include <%s>\n' "$header" | tee "$stem.c" >"$stem.cc"
done <"$top/headers"
for file in "$top"/*.c; do
  # shellcheck disable=SC2086
  cc -std=c11 $strict $cflags -fsyntax-only "$file"
  # shellcheck disable=SC2086
  c++ -std=c++17 $strict $cflags -fsyntax-only "${file}c"
done

step "glue for GLib, which nothing else needs"
glib=$(pkg-config --cflags glib-2.0 | sed 's/-I/-isystem /g') # its warnings are not ours
printf '#include <atamo/glib.h>\n' | tee "$top/glib.c" >"$top/glib.cc"
# shellcheck disable=SC2086
cc -std=c11 $strict $cflags $glib -fsyntax-only "$top/glib.c"
# shellcheck disable=SC2086
c++ -std=c++17 $strict $cflags $glib -fsyntax-only "$top/glib.cc"

step "an agent with plain cc"
# shellcheck disable=SC2086
cc -std=c11 $strict $cflags -shared -fPIC "$here/hello_agent.c" -o "$top/hello.so"
nm -D --defined-only "$top/hello.so" | grep ' atamo_plugin_v1$' >/dev/null
check=$prefix/bin/atamo-plugin-check
[ ! -x "$check" ] || "$check" "$top/hello.so"

step "only atamo_ names leave libatamo.so"
others=$(nm -D --defined-only "$library/libatamo.so" | awk '$3 !~ /^atamo_/ {print $3}')
[ -z "$others" ] || { printf 'also visible:\n%s\n' "$others"; exit 1; }

step "find_package, a plugin and a program that embeds"
mkdir "$top/project"
cp "$here/hello_agent.c" "$top/project"
cp "$here/embed.c" "$top/project"
cp "$here/project.cmake" "$top/project/CMakeLists.txt"
cmake -S "$top/project" -B "$top/out" -DCMAKE_PREFIX_PATH="$prefix" >"$top/project.log" 2>&1 &&
  cmake --build "$top/out" >>"$top/project.log" 2>&1 || { cat "$top/project.log"; exit 1; }
LD_LIBRARY_PATH=$library "$top/out/embed"

step "a program that embeds, by pkg-config"
# shellcheck disable=SC2046
cc "$here/embed.c" $(pkg-config --cflags --libs atamo) -o "$top/embed"
LD_LIBRARY_PATH=$library "$top/embed" >/dev/null

program=$prefix/bin/atamo
[ -x "$program" ] || exit 0
step "the program: $("$program" version)"
"$program" help | grep '^ *plugin new' >/dev/null || exit 0
for kind in agent rule-provider auditor event-provider; do
  step "atamo plugin new $kind: builds, passes its own test and the check"
  (cd "$top" && "$program" plugin new "$kind" "my-$kind")
  cmake -S "$top/my-$kind" -B "$top/my-$kind/build" -DCMAKE_PREFIX_PATH="$prefix"
  cmake --build "$top/my-$kind/build"
  ctest --test-dir "$top/my-$kind/build" --no-tests=error --output-on-failure
  plugin=$(find "$top/my-$kind/build" -name '*.so' | head -n 1)
  [ ! -x "$check" ] || "$check" "$plugin"
done
