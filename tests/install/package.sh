#!/usr/bin/env bash
# package.sh BUILD - the Debian package of BUILD: has what it should have, and what is in it runs from
# wherever it is unpacked.
set -euo pipefail
build=$(cd "$1" && pwd)
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT

(cd "$top" && cpack -G DEB --config "$build/CPackConfig.cmake" -B "$top/out" >"$top/cpack.log" 2>&1) ||
  { cat "$top/cpack.log"; exit 1; }
package=$(find "$top/out" -maxdepth 1 -name '*.deb')
printf -- '-- %s: %s\n' "${package##*/}" "$(dpkg-deb --field "$package" Depends)"
dpkg-deb --field "$package" Depends | grep libuv1 >/dev/null

dpkg-deb --extract "$package" "$top/root"
missing=0
while read -r file; do
  [ -e "$top/root/usr/$file" ] || { printf 'not in the package: %s\n' "$file"; missing=1; }
done <<END
bin/atamo
include/atamo/atamo.h
lib/atamo/plugins/log.so
lib/atamo/plugins/http.so
lib/python3/dist-packages/atamo/__init__.py
lib/python3/dist-packages/atamo/_abi.py
lib/python3/dist-packages/atamo/py.typed
lib/systemd/system/atamo@.service
share/atamo/configs/atamo.schema.json
share/atamo/configs/quickstart/atamo.yaml
share/doc/atamo/LICENSE
share/man/man1/atamo.1
share/man/man5/atamo.yaml.5
END
[ $missing -eq 0 ]
for file in libatamo.so libatamo.so.0 pkgconfig/atamo.pc pkgconfig/atamo-sdk.pc \
  cmake/atamo/atamo-config.cmake; do
  find "$top/root/usr/lib" -path "*/$file" | grep . >/dev/null ||
    { printf 'not in the package: lib/%s\n' "$file"; exit 1; }
done

cd "$top"
shown=$(printf '{"hello": "world"}\n' | "$top/root/usr/bin/atamo" run --quiet \
  "$top/root/usr/share/atamo/configs/minimal/atamo.yaml")
[[ $shown == *'"hello": "world"'* ]] || { printf 'it does not run: %s\n' "$shown"; exit 1; }
printf -- '-- unpacked, it runs: %s\n' "$shown"

python=python3
"$python" -c 'import _cffi_backend' 2>/dev/null || python=/usr/bin/python3
shown=$(PYTHONPATH=$top/root/usr/lib/python3/dist-packages "$python" -B -c '
import atamo
with atamo.Hub("rules: []") as hub:
    print(atamo._library.lib, hub.stats()["clients"])' 2>"$top/log") || { cat "$top/log"; exit 1; }
[[ $shown == *"$top/root/usr/lib/"*libatamo* ]] ||
  { printf 'another library: %s\n' "$shown"; exit 1; }
printf -- '-- the Python package finds its library: %s\n' "$shown"
