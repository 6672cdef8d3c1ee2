"""clang-tidy on what changed: tidy.py BUILD CACHE. Exits 1 if a file has findings.

BUILD has the compile_commands.json. A file that passed leaves a mark in CACHE, named by a hash of
all that its findings depend on: the checks, its command, itself and every header of this tree that
it includes. A file with a mark is not looked at again.
"""

import concurrent.futures
import hashlib
import json
import pathlib
import re
import subprocess
import sys

INCLUDE = re.compile(rb'^\s*#\s*include\s*["<]([^">]+)[">]', re.MULTILINE)
JOBS = 2


def resolve(name, path, tree):
    for folder in (path.parent, tree / "hub", tree / "sdk" / "include", tree / "tests"):
        found = folder / name
        if found.is_file():
            return found.resolve()
    return None


def reachable(path, tree):
    """The file and all headers of this tree that it includes, directly or not."""
    seen, waiting = set(), [path.resolve()]
    while waiting:
        at = waiting.pop()
        if at in seen:
            continue
        seen.add(at)
        for name in INCLUDE.findall(at.read_bytes()):
            found = resolve(name.decode(errors="replace"), at, tree)
            if found:
                waiting.append(found)
    return sorted(seen)


def fingerprint(path, command, tree):
    digest = hashlib.sha256((tree / ".clang-tidy").read_bytes() + command.encode())
    for part in reachable(path, tree):
        digest.update(hashlib.sha256(part.read_bytes()).digest())
    return digest.hexdigest()


def tidy(path, build):
    result = subprocess.run(["clang-tidy", "-p", build, "--quiet", path],
                            text=True, capture_output=True)
    return result.returncode, result.stdout or result.stderr


def changed(build, cache, tree):
    for entry in json.loads((build / "compile_commands.json").read_text()):
        path = pathlib.Path(entry["file"])
        if path.suffix in (".c", ".cc") and path.is_file() and not path.is_relative_to(build):
            mark = cache / fingerprint(path, entry["command"], tree)
            if not mark.exists():
                yield path, mark


def main():
    build, cache = (pathlib.Path(word).resolve() for word in sys.argv[1:3])
    tree = pathlib.Path.cwd()
    cache.mkdir(parents=True, exist_ok=True)
    failed = 0
    work = dict(changed(build, cache, tree))
    print(f"clang-tidy: {len(work)} changed files", flush=True)
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        results = {pool.submit(tidy, path, build): path for path in work}
        for done in concurrent.futures.as_completed(results):
            path = results[done]
            status, text = done.result()
            if status == 0:
                work[path].touch()
            else:
                failed += 1
                print(f"{path.relative_to(tree)}:\n{text}", flush=True)
    print(f"clang-tidy: {len(work) - failed} files passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
