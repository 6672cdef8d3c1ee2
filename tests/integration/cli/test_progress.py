"""The progress bar of the stdin plugin: one line that fits the terminal, and is gone at the end."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import unittest

from program import ATAMO, atamo

CONFIG = """
agents:
  out: {plugin: flaky}
event_providers:
  input: {plugin: stdin, config: {path: a-file-with-a-long-name.jsonl, type: line.read}}
rules:
  - {id: never, on: something.else, then: {agent: out, action: show}}
"""
ERASE = "\r\033[K"


def read_all(fd):
    """What is written to the other side of a pseudoterminal until it is closed."""
    pieces = []
    while True:
        try:
            piece = os.read(fd, 65536)
        except OSError:  # Linux says EIO when the other side is closed
            break
        if not piece:
            break
        pieces.append(piece)
    return b"".join(pieces).decode()


class Progress(unittest.TestCase):
    def setUp(self):
        with open("progress.yaml", "w", encoding="utf-8") as file:
            file.write(CONFIG)
        with open("a-file-with-a-long-name.jsonl", "w", encoding="utf-8") as file:
            file.write(('{"text": "%s"}\n' % ("x" * 200)) * 20000)

    def on_terminal(self, columns):
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        with subprocess.Popen([ATAMO, "run", "--quiet", "progress.yaml"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=theirs) as hub:
            os.close(theirs)
            said = read_all(ours)
            os.close(ours)
            self.assertEqual(hub.wait(timeout=60), 0)
        return said

    def bars(self, columns):
        said = self.on_terminal(columns)
        start, *drawn = said.split(ERASE)
        self.assertEqual(start, "")
        self.assertGreater(len(drawn), 1, "no bar was drawn")
        self.assertTrue(drawn[-1] == "", "the bar was not taken away: " + repr(said[-200:]))
        for bar in drawn:
            self.assertNotIn("\n", bar)
            self.assertLess(len(bar), columns)
        return drawn[:-1]

    def test_is_one_line_rewritten_and_erased(self):
        for bar in self.bars(80):
            self.assertRegex(bar, r"^a-file-with-a-lo \[#*\.*\] +\d+% [\d.]+ MB/s \d+ s left$")

    def test_leaves_parts_out_on_a_narrow_terminal(self):
        for bar in self.bars(30):
            self.assertRegex(bar, r"^a-file-with-a-lo \[[#.]{5}\] +\d+%$")
        for bar in self.bars(12):
            self.assertTrue(re.fullmatch(r"a-file +\d+%", bar), bar)

    def test_is_not_drawn_where_there_is_no_terminal(self):
        self.assertEqual(atamo("run", "--quiet", "progress.yaml").stderr, "")


if __name__ == "__main__":
    unittest.main()
