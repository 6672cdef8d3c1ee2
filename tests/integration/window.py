"""A GTK program on a screen of its own: what its window shows, pressing its buttons, pictures of it.

The screen is an Xvfb; look.c, loaded into the program, tells what is in the window. The tests of the
guides that have a window use it.
"""

import contextlib
import os
import pathlib
import re
import shutil
import socket
import subprocess
import time

BUILD = pathlib.Path(os.environ["ATAMO_BUILD_DIR"])
LIMIT_S = 30
BLOCK = re.compile(r"^```(?:c|yaml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@contextlib.contextmanager
def screen():
    """A display with nothing else on it; yields its name."""
    read, write = os.pipe()
    with subprocess.Popen(["Xvfb", "-displayfd", str(write), "-nolisten", "tcp", "-noreset",
                           "-screen", "0", "800x600x24"], pass_fds=[write],
                          stderr=subprocess.DEVNULL) as server:
        os.close(write)
        try:
            with os.fdopen(read) as answer:
                number = answer.readline().strip()
            if not number:
                raise RuntimeError("Xvfb did not start")
            yield f":{number}"
        finally:
            server.terminate()


class Window:
    """A program that runs, and its window: a context, so that a failing test leaves nothing."""

    def __init__(self, display, program):
        ours, theirs = socket.socketpair()
        ours.settimeout(LIMIT_S)
        with theirs:
            self.process = subprocess.Popen(
                [str(program)], pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL,
                env=os.environ | {"DISPLAY": display, "GDK_BACKEND": "x11", "GTK_A11Y": "none",
                                  "GSK_RENDERER": "cairo", "GTK_THEME": "Adwaita",
                                  "LD_PRELOAD": str(BUILD / "tests/integration/gui/look.so"),
                                  "LOOK_FD": str(theirs.fileno()), "LC_ALL": "C.UTF-8"})
        self.socket = ours
        self.channel = ours.makefile("rw", encoding="utf-8")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.channel.close()
        self.socket.close()

    def ask(self, command):
        self.channel.write(command + "\n")
        self.channel.flush()
        return list(iter(lambda: self.channel.readline().rstrip("\n"), "."))

    def texts(self):
        """What it shows, from top to bottom."""
        return self.ask("texts")

    def value(self, name):
        """What stands right of `name`."""
        texts = self.texts()
        return texts[texts.index(name) + 1] if name in texts else None

    def wait_for(self, holds, what):
        """Until `holds()`; it is an error if that does not come to pass."""
        until = time.monotonic() + LIMIT_S
        while not holds():
            if time.monotonic() > until:
                raise AssertionError(f"{what}: not so; the window shows {self.texts()}")
            time.sleep(0.01)

    def click(self, text):
        if self.ask(f"click {text}") != ["clicked"]:
            raise AssertionError(f"no button {text}; the window shows {self.texts()}")

    def longest_gap_ms(self):
        """For how long the main loop was held up at most, since this was asked last."""
        return int(self.ask("gap")[0])

    def picture(self, test):
        """Take a picture; with ATAMO_PICTURES=1 it becomes the one in the guide of `test`."""
        file = pathlib.Path("window.png").resolve()
        self.wait_for(lambda: self.ask(f"picture {file}") == ["saved"], "the window is drawn")
        if os.environ.get("ATAMO_PICTURES") == "1":
            shutil.copy(file, pathlib.Path(test).parent / "window.png")
        return file.read_bytes()

    def close(self):
        """Close the window; returns the program's exit code."""
        self.ask("close")
        return self.process.wait(LIMIT_S)


@contextlib.contextmanager
def guide_window(test):
    """The program of the guide that `test` (a file) stands in, in this folder, with all it needs."""
    guide = pathlib.Path(test).parent
    for folder in (guide, BUILD / "tests/integration/gui" / guide.name):
        for path in folder.iterdir():
            if path.suffix in (".yaml", ".csv", ".so", ""):
                if path.is_file():
                    shutil.copy(path, ".")
    with screen() as display, Window(display, pathlib.Path("weather").resolve()) as window:
        window.wait_for(lambda: "Load" in window.texts(), "the window is there")
        yield window


def lines_shown_but_not_there(test):
    """Lines of code that the guide's text shows and that stand in none of its files."""
    guide = pathlib.Path(test).parent
    there = {line.strip() for path in guide.rglob("*") if path.suffix in (".c", ".yaml")
             for line in path.read_text(encoding="utf-8").splitlines()}
    shown = BLOCK.findall((guide / "README.md").read_text(encoding="utf-8"))
    return [line for block in shown for line in block.splitlines() if line.strip() not in there | {""}]
