"""What the commands of a page said, and what it has to be like: a guide's transcript.txt.

A transcript is as the program printed it; two are alike if they differ in times, ids and the like
only. What a page shows as output has to stand in it, and what it shows of a file in that file.
"""

import difflib
import re

VARYING = [(re.compile(pattern), text) for pattern, text in (
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?", "DATE"),
    (r"\b\d\d:\d\d:\d\d\.\d+", "TIME"),
    (r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "UUID"),
    (r"\b[0-9a-f]{16}\b", "KEY"),
    (r'"t_us":\d+', '"t_us":T'),
    (r" *\+\d+\.\d{6} s", " +T s"),
    (r"\bdue in \d+\.\d+ s", "due in T s"),
    (r"\b\d+\.\d+ sec\b", "T sec"),
    (r" +$", ""),
)]
ELISION = "..."


def alike(text):
    """Lines without what differs from run to run."""
    lines = text.splitlines()
    for pattern, instead in VARYING:
        lines = [pattern.sub(instead, line) for line in lines]
    return lines


def differences(kept, said):
    """Lines of a diff between two transcripts; none if they are alike."""
    return list(difflib.unified_diff(alike(kept), alike(said), "transcript.txt", "this run",
                                     lineterm=""))


def stands_in(block, text):
    """Are the lines of a block in the text, in one piece, or in pieces with "..." between them?"""
    lines = [line.strip() for line in alike(text)]
    piece, at = [], 0
    for line in [*alike(block), ELISION]:
        if line.strip() != ELISION:
            piece.append(line.strip())
            continue
        places = range(at, len(lines) - len(piece) + 1)
        at = next((i + len(piece) for i in places if lines[i:i + len(piece)] == piece), None)
        if at is None:
            return False
        piece = []
    return True
