"""Turn the public headers into the declarations of the binding: declare.py INCLUDE FOLDER.

Writes FOLDER/_abi.py from INCLUDE/atamo/hub.h, agent.h, auditor.h and what they include, so that
structs, constants and functions cannot differ from those the library was built with. Comments, preprocessor
lines and the bodies of inline functions are left out; the rest is given to cffi as it stands.
Exits 77 where cffi is not there.
"""

import pathlib
import re
import sys

HEADERS = ("atamo/hub.h", "atamo/agent.h", "atamo/auditor.h")
CANNOT_RUN = 77
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
CXX_ONLY = re.compile(r"^#ifdef __cplusplus\n.*?^#endif\n", re.DOTALL | re.MULTILINE)
INCLUDE = re.compile(r'^#include "(atamo/\w+\.h)"', re.MULTILINE)
NUMBER = re.compile(r"^#define (ATAMO_\w+) +(\d+)u?$", re.MULTILINE)
PREPROCESSOR = re.compile(r"^#(?:[^\n]*\\\n)*[^\n]*\n", re.MULTILINE)
ATTRIBUTE = re.compile(r"__attribute__\(\((?:[^()]|\([^()]*\))*\)\)")
INLINE = re.compile(r"static inline [^;{]*\{")


def without_bodies(text):
    """`text` without its inline functions."""
    kept, at = [], 0
    for found in INLINE.finditer(text):
        if found.start() < at:
            continue
        kept.append(text[at : found.start()])
        depth, at = 1, found.end()
        while depth:
            depth += {"{": 1, "}": -1}.get(text[at], 0)
            at += 1
    return "".join(kept) + text[at:]


def without_literals(text):
    """Braces within texts and characters would be counted."""
    return re.sub(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', '""', text)


def declarations(include, name, seen):
    """What header `name` declares, after what the headers that it includes declare."""
    if name in seen:
        return ""
    seen.add(name)
    text = COMMENT.sub("", (include / name).read_text(encoding="utf-8"))
    before = "".join(declarations(include, other, seen) for other in INCLUDE.findall(text))
    numbers = "".join(f"#define {key} {value}\n" for key, value in NUMBER.findall(text))
    text = PREPROCESSOR.sub("", CXX_ONLY.sub("", text))
    text = ATTRIBUTE.sub("", text.replace("ATAMO_API", ""))
    return before + numbers + without_bodies(without_literals(text))


def read_headers(include):
    seen = set()
    return "".join(declarations(include, name, seen) for name in HEADERS)


def main():
    try:
        import cffi
    except ImportError:
        print("cffi is not there: python3-cffi")
        return CANNOT_RUN
    include, folder = map(pathlib.Path, sys.argv[1:])
    ffi = cffi.FFI()
    ffi.set_source("_abi", None)
    ffi.cdef(read_headers(include))
    made = folder / "_abi.py"
    ffi.emit_python_code(str(made))
    made.write_text("# mypy: ignore-errors\n" + made.read_text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
