"""House rules that no compiler checks: house.py [TREE]. Prints each violation and exits 1.

Files of hub, sdk and plugins have at most 500 lines; nothing is left behind for later; no source
includes another source.
"""

import pathlib
import re
import sys

LINES = 500
MARKS = re.compile(r"\b(TODO|FIXME|XXX|HACK|not implemented|unimplemented|placeholder(?!=))\b")
INCLUDED_SOURCE = re.compile(r'^\s*#\s*include\s*["<][^">]+\.(c|cc)[">]')
CODE = {".c", ".h", ".cc"}
TEXT = CODE | {".yaml", ".md", ".mjs", ".js"}
FOLDERS = ("hub", "sdk", "plugins", "bindings", "tests", "guides", "configs", "cmake")


def files(tree):
    for folder in FOLDERS:
        for path in sorted((tree / folder).rglob("*")):
            parts = path.relative_to(tree).parts
            skipped = {"node_modules", "build", "corpus", "data"} & set(parts)
            if path.is_file() and path.suffix in TEXT and not skipped:
                yield path, parts[0]


def check(path, folder):
    lines = path.read_text(errors="replace").splitlines()
    if path.suffix in CODE and folder in ("hub", "sdk", "plugins") and len(lines) > LINES:
        yield len(lines), f"over {LINES} lines: more than one idea in it?"
    for number, line in enumerate(lines, 1):
        found = MARKS.search(line)
        if found:
            yield number, f"left behind: {found.group(0)}"
        if path.suffix in CODE and INCLUDED_SOURCE.match(line):
            yield number, "includes a source file: give it a header, or build it on its own"


def main():
    tree = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    problems = 0
    for path, folder in files(tree):
        for number, text in check(path, folder):
            problems += 1
            print(f"{path.relative_to(tree)}:{number}: {text}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
