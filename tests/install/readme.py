"""Run what the README and the guides show: readme.py TREE [PAGE...]. Exits 1 if something is wrong.

A page is run as in one terminal: fenced blocks with a file name ("```yaml first.yaml") become that
file, `sh` blocks are commands; the first that fails ends it. Every page has a temporary folder that
shows the tree through links, with a copy of the guide's own folder, so that nothing is written to
the tree; and it may leave no process behind. Blocks `console` start a program with a window: it gets
a screen for a moment, and is ended if it has not failed by then. Ports 88xx become free ones. Commands of ./dev that
take minutes are left out: the tests run those anyway.

A guide with a transcript.txt has to say what stands there, but for times and ids; --update writes
it anew, or for the first time if the guide is named. Its blocks `text` have to stand in the
transcript, those without a name in a file of its folder. --junit FILE writes the results, a test for
each page.
"""

import argparse
import contextlib
import ctypes
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import xml.sax.saxutils

import transcript

BLOCK = re.compile(r"^```(\w+)[ \t]*(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LEFT_OUT = re.compile(r"^\s*\./dev (run|test|bench|soak|fuzz|lint)\b.*\n?", re.MULTILINE)
PORT = re.compile(r"(?<=127\.0\.0\.1:)88\d\d\b|(?<=--port )88\d\d\b")
PAGES = ("README.md", "guides/*.md", "guides/*/README.md", "bindings/*/README.md")
KEPT = "transcript.txt"
PUT = """put() {
  case $(realpath -m "$(dirname "$2")")/ in
    "$page"/*) mkdir -p "$(dirname "$2")" && rm -f "$2" && cp "$1" "$2" ;;
    *) echo "$2: would be written to the tree; use a folder that is not in it"; return 1 ;;
  esac
}
on_a_screen() {
  local number screen
  number=$(mktemp)
  Xvfb -displayfd 3 -nolisten tcp 3>"$number" 2>/dev/null & screen=$!
  until [ -s "$number" ]; do
    kill -0 $screen 2>/dev/null || { echo "there is no Xvfb, or it does not start"; return 1; }
    sleep 0.1
  done
  DISPLAY=:$(cat "$number") GDK_BACKEND=x11 SDL_VIDEODRIVER=x11 timeout 2 "$@" || [ $? -eq 124 ]
  rm "$number"
  kill $screen
  wait $screen || true
}
page=$PWD
"""
LIMIT_S = 300
PR_SET_CHILD_SUBREAPER = 36
GRACE_S = 5


class Ports:
    """Free ports for those that a page names; the same ones back again in what its commands say."""

    def __init__(self):
        self.free = {}

    def _take(self, named):
        if named not in self.free:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.free[named] = str(probe.getsockname()[1])
        return self.free[named]

    def replace(self, text):
        return PORT.sub(lambda found: self._take(found.group()), text)

    def restore(self, text):
        for named, free in self.free.items():
            text = re.sub(rf"\b{free}\b", named, text)
        return text


def commands(block):
    """The commands of a block: its lines, those together that make one command."""
    command = ""
    for line in block.splitlines(keepends=True):
        command += line
        whole = not line.endswith("\\\n") and not subprocess.run(
            ["bash", "-n", "-c", command], stderr=subprocess.DEVNULL, check=False).returncode
        if whole and command.strip():
            yield command
            command = ""
    if command.strip():
        yield command  # the shell says what is wrong with it


class Page:
    def __init__(self, path, tree, update):
        self.path, self.tree, self.update = path, tree, update
        self.guide = path.parent if path.parent != tree and path.parent.name != "guides" else None
        self.ports = Ports()
        self.said = ""
        self.problems = []

    def is_wrong(self, what):
        print(what, flush=True)
        self.problems.append(what)

    # The folder in which the page's commands run.

    def _link(self, source, folder, but):
        for entry in source.iterdir():
            if entry != but:
                (folder / entry.name).symlink_to(entry)

    def furnish(self, folder):
        if self.guide is None:
            self._link(self.tree, folder, None)
            return
        guides = self.guide.parent
        (folder / guides.name).mkdir()
        self._link(self.tree, folder, guides)
        self._link(guides, folder / guides.name, self.guide)
        made = guides / ".gitignore"
        names = made.read_text().replace("/\n", "\n").split() if made.exists() else []
        own = folder / guides.name / self.guide.name
        shutil.copytree(self.guide, own, ignore=shutil.ignore_patterns(*names))
        for path in own.rglob("*.yaml"):
            path.write_text(self.ports.replace(path.read_text()))

    # Its commands.

    def script(self, text, aside):
        """One script of all blocks, with each command shown before it is run."""
        yield PUT
        for number, (language, name, body) in enumerate(BLOCK.findall(text)):
            if name:
                file = aside / str(number)
                file.write_text(self.ports.replace(body))
                yield f"put {shlex.quote(str(file))} {shlex.quote(name)}\n"
            elif language in ("sh", "console"):
                start = "on_a_screen " if language == "console" else ""
                for command in commands(LEFT_OUT.sub("", body)):
                    shown = shlex.quote(f"$ {command.strip()}")
                    yield f"printf '%s\\n' {shown}\n{start}{self.ports.replace(command)}\n"

    def run_script(self, script, folder):
        process = subprocess.Popen(["bash", "-euo", "pipefail", "-c", script], cwd=folder, text=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT)
        watchdog = threading.Timer(LIMIT_S, process.kill)
        watchdog.start()
        for line in process.stdout:
            said = self.ports.restore(line)
            print(said, end="", flush=True)
            self.said += said
        if process.wait() != 0:
            self.is_wrong(f"its last command failed, or took too long: {process.returncode}")
        watchdog.cancel()

    # What it shows.

    def check_transcript(self):
        kept = self.guide / KEPT
        if self.update:
            kept.write_text(self.said)
        for line in transcript.differences(kept.read_text(), self.said):
            self.is_wrong(line)

    def check_shown(self, text):
        files = [path.read_text() for path in self.guide.rglob("*")
                 if path.is_file() and path.suffix in (".c", ".json", ".py", ".yaml")]
        for language, name, body in BLOCK.findall(text):
            if name or language in ("sh", "console"):
                continue
            places = [(self.guide / KEPT).read_text()] if language == "text" else files
            if not any(transcript.stands_in(body, place) for place in places):
                self.is_wrong(f"shown, but nowhere to be found:\n{body}")

    def run(self):
        text = self.path.read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory() as name, tempfile.TemporaryDirectory() as aside:
            self.furnish(pathlib.Path(name))
            script = "".join(self.script(text, pathlib.Path(aside)))
            self.run_script(script, pathlib.Path(name).resolve())
            reap()
            self.problems += end_leftovers()
        if self.guide and ((self.guide / KEPT).exists() or self.update) and not self.problems:
            self.check_transcript()
            self.check_shown(text)


def reap():
    """Wait for those of a page's processes that have ended or are about to."""
    until = time.monotonic() + GRACE_S
    with contextlib.suppress(ChildProcessError):
        while time.monotonic() < until:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.05)


def end_leftovers():
    """Kill what the scripts of a page have left running; returns what that was."""
    lists = pathlib.Path("/proc/self/task").glob("*/children")
    found = []
    for pid in [int(word) for text in lists for word in text.read_text().split()]:
        found.append(f"left behind: {pathlib.Path(f'/proc/{pid}/cmdline').read_text()!r}")
        print(found[-1])
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return found


def junit(pages, tree):
    """The results as JUnit XML: pages with their problems and how long they took."""
    failed = sum(bool(page.problems) for page, _ in pages)
    yield (f'<testsuite name="readme" tests="{len(pages)}" failures="{failed}" skipped="0" '
           'disabled="0">')
    for page, seconds in pages:
        name = xml.sax.saxutils.quoteattr(str(page.path.relative_to(tree)))
        yield f'<testcase name={name} time="{seconds:.1f}">'
        if page.problems:
            yield f"<failure>{xml.sax.saxutils.escape(chr(10).join(page.problems))}</failure>"
        yield "</testcase>"
    yield "</testsuite>"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tree", type=pathlib.Path)
    parser.add_argument("pages", nargs="*", help="such as guides/05-log-an-event")
    parser.add_argument("--update", action="store_true", help="write the transcripts anew")
    parser.add_argument("--junit", type=pathlib.Path)
    given = parser.parse_args()
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # orphans come here
    tree = given.tree.resolve()
    found = [page for pattern in PAGES for page in sorted(tree.glob(pattern))]
    if given.pages:
        found = [tree / page if page.endswith(".md") else tree / page / "README.md"
                 for page in given.pages]
    done = []
    for path in found:
        print(f"== {path.relative_to(tree)}", flush=True)
        page = Page(path, tree, given.update and (bool(given.pages) or (path.parent / KEPT).exists()))
        begun = time.monotonic()
        page.run()
        done.append((page, time.monotonic() - begun))
    if given.junit:
        given.junit.write_text("\n".join(junit(done, tree)) + "\n")
    return 1 if any(page.problems for page, _ in done) else 0


if __name__ == "__main__":
    sys.exit(main())
