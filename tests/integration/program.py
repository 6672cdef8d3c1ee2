"""The `atamo` program under test: run it to its end, or keep it running and talk to it."""

import os
import pathlib
import queue
import signal
import subprocess
import threading
import time

ATAMO = os.environ["ATAMO"]
SOURCES = pathlib.Path(os.environ["ATAMO_SOURCE_DIR"])
BUILD = pathlib.Path(os.environ["ATAMO_BUILD_DIR"])
LIMIT_S = 60
LINE_LIMIT_S = 15


def atamo(*words, text=None):
    """Run a command to its end; the result has returncode, stdout and stderr."""
    return subprocess.run([ATAMO, *words], input=text, text=True, capture_output=True,
                          timeout=LIMIT_S)


class Running:
    """A hub that runs: a context, so that a failing test does not leave it behind."""

    def __init__(self, config):
        self.process = subprocess.Popen([ATAMO, "run", config], text=True, bufsize=1,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)
        self.lines = queue.Queue()
        self.thread = threading.Thread(target=self._read)
        self.thread.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.thread.join()
        self.process.stdin.close()
        self.process.stdout.close()

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def line_of(self, *words):
        """The next line it writes that has one of `words`; queue.Empty if none comes."""
        while True:
            line = self.lines.get(timeout=LINE_LIMIT_S)
            if any(word in line for word in words):
                return line

    def shows(self, line, words):
        """Put a line in, wait for `words` in what comes out. Afterwards the hub is surely up."""
        self.say(line)
        return self.line_of(words)

    def reload(self):
        """SIGHUP; returns what the program says about it."""
        self.process.send_signal(signal.SIGHUP)
        return self.line_of("atamo: reloaded", "the hub goes on as before")

    def stop(self, number=signal.SIGTERM):
        """Stop it by a signal; returns the exit code."""
        self.process.send_signal(number)
        return self.process.wait(LIMIT_S)

    def end_of_input(self):
        self.process.stdin.close()
        return self.process.wait(LIMIT_S)

    def descriptors(self):
        """What each of its descriptors is, sorted: equal lists, nothing leaked."""
        folder = pathlib.Path(f"/proc/{self.process.pid}/fd")
        return sorted(os.readlink(fd).split("[")[0].split(":")[0] for fd in folder.iterdir())

    def thread_count(self):
        return len(list(pathlib.Path(f"/proc/{self.process.pid}/task").iterdir()))

    def wait_for_children(self, count):
        """Worker processes start in the background; returns how many there are in the end."""
        until = time.monotonic() + LINE_LIMIT_S
        while True:
            lists = pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/children")
            found = sum(len(text.read_text().split()) for text in lists)
            if found == count or time.monotonic() > until:
                return found
            time.sleep(0.01)
