"""Packages from npm for tests, in caches below build/.

Without npm or a network there are none: the tests that need them are skipped, but not where CI is set.
"""

import fcntl
import os
import shutil
import subprocess
import sys

from program import SOURCES

SKIPPED = 77
LIMIT_S = 120


def fetch(name, lists, file):
    """Have npm put the packages that the folder `lists` names into the cache `name`, once.

    Returns the cache; ends the test if the file that shall be in its node_modules is not there.
    """
    cache = SOURCES / "build" / "cache" / name
    wanted = cache / "node_modules" / file
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several builds are tested at the same time
        if not wanted.is_file():
            for part in ("package.json", "package-lock.json"):
                shutil.copy(lists / part, cache / part)
            command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
            try:
                subprocess.run(command, cwd=cache, timeout=LIMIT_S, stdin=subprocess.DEVNULL)
            except (FileNotFoundError, subprocess.TimeoutExpired) as problem:
                print(f"npm: {problem}")
    if not wanted.is_file():
        sys.exit(1 if os.environ.get("CI") else SKIPPED)
    return cache
