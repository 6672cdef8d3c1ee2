"""Run what the README and the guides show: readme.py TREE. Exits 1 if a command fails.

Fenced blocks with a file name ("```yaml first.yaml") become that file; each `sh` block is run as a
script. Every page has a temporary folder that shows the tree through links, so that nothing is
written to the tree, and may leave no process behind. Commands of ./dev that take minutes are left out: the tests run those anyway.
"""

import contextlib
import ctypes
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

BLOCK = re.compile(r"^```(\w+)[ \t]*(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LEFT_OUT = re.compile(r"^\s*\./dev (run|test|bench|soak|fuzz|lint)\b.*$", re.MULTILINE)
PAGES = ("README.md", "guides/*.md", "guides/*/README.md", "bindings/*/README.md")
LIMIT_S = 300
PR_SET_CHILD_SUBREAPER = 36
GRACE_S = 5


def run_script(script, folder):
    print(f"$ {script.strip()}", flush=True)
    result = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=folder, text=True,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, timeout=LIMIT_S)
    print(result.stdout, end="", flush=True)
    return result.returncode


def run_blocks(text, folder):
    failed = 0
    for language, name, body in BLOCK.findall(text):
        if name:
            path = folder / name
            path.unlink(missing_ok=True)  # never through a link into the tree
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.resolve().is_relative_to(folder.resolve()):
                print(f"{name}: would be written to the tree; use a folder that is not in it")
                return failed + 1
            path.write_text(body)
        elif language == "sh":
            script = LEFT_OUT.sub("", body)
            if script.strip() and run_script(script, folder) != 0:
                failed += 1
                print(f"failed: {script.strip()}")
    return failed


def reap():
    """Wait for those of a page's processes that have ended or are about to."""
    until = time.monotonic() + GRACE_S
    with contextlib.suppress(ChildProcessError):
        while time.monotonic() < until:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.05)


def end_leftovers():
    """Kill what the scripts of a page have left running; returns how many there were."""
    lists = pathlib.Path("/proc/self/task").glob("*/children")
    left = [int(word) for text in lists for word in text.read_text().split()]
    for pid in left:
        print(f"left behind: {pathlib.Path(f'/proc/{pid}/cmdline').read_text()!r}")
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return len(left)


def run_page(page, tree):
    print(f"== {page.relative_to(tree)}", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for entry in tree.iterdir():
            (folder / entry.name).symlink_to(entry)
        failed = run_blocks(page.read_text(encoding="utf-8"), folder)
        reap()
        return failed + end_leftovers()


def main():
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # orphans come here
    tree = pathlib.Path(sys.argv[1]).resolve()
    found = [page for pattern in PAGES for page in sorted(tree.glob(pattern))]
    return 1 if sum(run_page(page, tree) for page in found) else 0


if __name__ == "__main__":
    sys.exit(main())
