"""Run one integration test in a clean place: runner.py TEST.

The test runs in a folder of its own that is deleted afterwards; it may leave anything there. What it
may not leave are processes, and files in TMPDIR: both fail it. ATAMO is the program to test,
ATAMO_SOURCE_DIR and ATAMO_BUILD_DIR say where it comes from. Exit code 77 means: cannot run here.
"""

import ctypes
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

PR_SET_CHILD_SUBREAPER = 36
GRACE_S = 3
KEPT = ("PATH", "LANG", "CI", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS",
        "LD_PRELOAD", "http_proxy", "https_proxy", "no_proxy", "NODE_EXTRA_CA_CERTS")


def environment(folder):
    kept = {name: value for name, value in os.environ.items()
            if name in KEPT or name.startswith(("ATAMO", "npm_config_"))}
    kept["npm_config_userconfig"] = str(pathlib.Path.home() / ".npmrc")  # a mirror, a proxy
    return kept | {"HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp"), "NO_COLOR": "1",
                   "PYTHONPATH": str(pathlib.Path(__file__).parent), "PYTHONDONTWRITEBYTECODE": "1"}


def children():
    """Processes that are below this one: orphans of the test come here too."""
    lists = pathlib.Path("/proc/self/task").glob("*/children")
    return [int(word) for text in lists for word in text.read_text().split()]


def reap():
    try:
        while os.waitpid(-1, os.WNOHANG)[0] != 0:
            pass
    except ChildProcessError:
        pass


def end_leftovers():
    """Names of processes that are still there after a moment of grace; they are ended."""
    until = time.monotonic() + GRACE_S
    while children() and time.monotonic() < until:
        reap()
        time.sleep(0.02)
    names = []
    for pid in children():
        line = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
        names.append(f"process {pid}: {line.decode(errors='replace').strip()}")
        os.kill(pid, signal.SIGKILL)
    return names


def run(test, folder):
    for name in ("home", "tmp", "work"):
        (folder / name).mkdir()
    command = [sys.executable, "-B", str(test)] if test.suffix == ".py" else ["bash", str(test)]
    status = subprocess.run(command, cwd=folder / "work", env=environment(folder)).returncode
    left = end_leftovers()
    left += [f"file {path.relative_to(folder)}" for path in (folder / "tmp").rglob("*")]
    for what in left:
        print(f"left behind: {what}")
    return 1 if left else status


def main():
    if ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        return "cannot adopt orphans"
    with tempfile.TemporaryDirectory(prefix="atamo-test-") as name:
        return run(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(name))


if __name__ == "__main__":
    sys.exit(main())
