"""A program on a pseudoterminal, and what a person would see there: just enough of a terminal for
`atamo top`. Sequences that it does not know fail the test."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

from program import LIMIT_S, LINE_LIMIT_S

PIECE = re.compile(r"\033\[(\??)([\d;]*)([A-Za-z])|\033|[^\033]+")


class Terminal:
    """A context. `rows` is what is seen now; `alternate` and `cursor` say how the screen is."""

    def __init__(self, command, columns=80, rows=24, **settings):
        self.columns, self.height = columns, rows
        self.rows, self.at = [""] * rows, (0, 0)
        self.alternate, self.cursor, self.said, self.rest = False, True, "", b""
        self.ours, self.theirs = pty.openpty()
        self._set_size()
        self.before = termios.tcgetattr(self.theirs)
        self.process = subprocess.Popen(command, stdin=self.theirs, stdout=self.theirs,
                                        stderr=self.theirs, start_new_session=True,
                                        preexec_fn=self._own, **settings)

    @staticmethod
    def _own():
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.theirs)
        os.close(self.ours)

    def _set_size(self):
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ,
                    struct.pack("HHHH", self.height, self.columns, 0, 0))

    def resize(self, columns, rows):
        self.columns, self.height = columns, rows
        self.rows = (self.rows + [""] * rows)[:rows]
        self._set_size()  # the program is told by a signal: this is its terminal

    def press(self, keys):
        os.write(self.ours, keys.encode())

    def is_as_before(self):
        return termios.tcgetattr(self.theirs)[:4] == self.before[:4]

    def read(self, seconds):
        """Take what is written within so many seconds; False if nothing is."""
        if not select.select([self.ours], [], [], seconds)[0]:
            return False
        text = self.rest + os.read(self.ours, 65536)
        whole = max(text.rfind(b"\033"), 0) if b"\033" in text[-12:] else len(text)
        while whole > 0 and text[whole - 1] & 0x80 and whole == len(text):
            whole -= 1
        self.rest = text[whole:]
        if re.fullmatch(rb"\033\[\??[\d;]*[A-Za-z][\x20-\x7f\r\n]*", self.rest):
            whole, self.rest = len(text), b""
        self._show(text[:whole].decode())
        return True

    def until(self, condition):
        """Read until `condition` holds; the rows are returned."""
        end = time.monotonic() + LINE_LIMIT_S
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError("\n".join(self.rows))
            self.read(0.1)
        return self.rows

    def until_row(self, pattern):
        """Read until a row matches; the match is returned."""
        self.until(lambda: any(re.search(pattern, row) for row in self.rows))
        return next(found for row in self.rows if (found := re.search(pattern, row)))

    def end(self):
        """Read until the program has ended; its exit code."""
        end = time.monotonic() + LIMIT_S
        while self.process.poll() is None and time.monotonic() < end:
            self.read(0.05)
        while self.read(0):
            pass
        return self.process.wait(0)

    # --- what is written

    def _show(self, text):
        self.said += text
        for piece in PIECE.finditer(text):
            if piece.group(3):
                self._control(piece.group(1), piece.group(2), piece.group(3))
            else:
                self._put(piece.group(0))

    def _control(self, private, numbers, letter):
        row, column = self.at
        row = min(row, self.height - 1)  # it may have become smaller
        if private:
            self._mode(numbers, letter == "h")
        elif letter == "H":
            self.at = (0, 0)
        elif letter == "K":
            self.rows[row] = self.rows[row][:column]
        elif letter == "J":
            self.rows[row] = self.rows[row][:column] if numbers != "2" else ""
            first = 0 if numbers == "2" else row + 1
            self.rows[first:] = [""] * (self.height - first)
        elif letter != "m":
            raise ValueError(f"an unknown sequence: {numbers}{letter}")

    def _mode(self, number, on):
        if number == "1049":
            self.alternate = on
            self.rows, self.at = [""] * self.height, (0, 0)
        elif number == "25":
            self.cursor = on
        elif number != "7":
            raise ValueError(f"an unknown mode: {number}")

    def _put(self, text):
        for letter in text:
            row, column = self.at
            if letter == "\r":
                self.at = (row, 0)
            elif letter == "\n":
                if row + 1 == self.height:
                    self.rows = self.rows[1:] + [""]
                self.at = (min(row + 1, self.height - 1), column)
            else:
                line = self.rows[row].ljust(column)
                self.rows[row] = line[:column] + letter + line[column + 1:]
                self.at = (row, column + 1)
