"""The ABI gate: abi.py [--update] INCLUDE ABI.TXT. Exits 1 if the headers do not say what ABI.TXT does.

ABI.TXT records every struct of the public headers with the offset and type of each field, every
constant, and every function of the library. What was ever released stays: a struct that begins with
its size, or comes in arrays with a stride, may grow at its end; constants and functions may be added.
Such changes are recorded with --update, which refuses all others; those need a new ATAMO_ABI, and
--break.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

NAME = re.compile(r"^ATAMO_\w+$|^atamo_\w+$")
WITH_STRIDE = {"struct atamo_option"}  # arrays whose elements may grow
CANNOT_RUN = 77


def clang(include, arguments, source="#include <atamo/atamo.h>\n"):
    return subprocess.run(["clang", "-std=c11", "-x", "c", f"-I{include}", *arguments, "-"], text=True,
                          input=source, capture_output=True, check=True).stdout


def structs(include):
    """'struct NAME' -> lines of its layout."""
    text = clang(include, ["-fsyntax-only", "-Xclang", "-fdump-record-layouts-complete"])
    found = {}
    for dump in text.split("*** Dumping AST Record Layout")[1:]:
        lines = [line for line in dump.splitlines() if line.strip()]
        name = lines[0].split("|")[1].strip()
        if not re.match(r"(struct|union) atamo_\w+$", name):
            continue
        found[name] = [f"{at.strip():>6} {field.strip()}"
                       for at, field in (line.split(" | ") for line in lines[1:])
                       if not field.startswith("    ")]  # deeper: a field of a field
    return found


def declarations(include):
    """Names of enumeration constants, and 'NAME: TYPE' of the library's functions."""
    tree = json.loads(clang(include, ["-fsyntax-only", "-Xclang", "-ast-dump=json"]))
    constants, functions = [], []
    for node in tree["inner"]:
        for part in node.get("inner", []):
            if part["kind"] == "EnumConstantDecl" and NAME.match(part["name"]):
                constants.append(part["name"])
        kind, name = node["kind"], node.get("name", "")
        if kind == "FunctionDecl" and NAME.match(name) and not node.get("inline"):
            functions.append(f"{name}: {node['type']['qualType']}")
    return constants, sorted(functions)


def macros(include):
    """Macros that are numbers."""
    text = clang(include, ["-dM", "-E"])
    return sorted(re.findall(r"^#define (ATAMO_\w+) [0-9]\w*$", text, re.MULTILINE))


def values(include, names):
    lines = "".join(f'(void)printf("%s %lld\\n", "{name}", (long long){name});\n' for name in names)
    source = f"#include <atamo/atamo.h>\n#include <stdio.h>\nint main(void)\n{{\n{lines}}}\n"
    with tempfile.TemporaryDirectory() as folder:
        program = pathlib.Path(folder) / "values"
        clang(include, ["-o", str(program)], source)
        return subprocess.run([program], text=True, capture_output=True, check=True).stdout


def current(include):
    constants, functions = declarations(include)
    lines = []
    for name, layout in sorted(structs(include).items()):
        lines += [name, *layout]
    lines += [f"constant {line}" for line in values(include, constants + macros(include)).splitlines()]
    lines += [f"function {line}" for line in functions]
    return lines


def grouped(lines):
    """Name of a struct, constant or function -> its lines."""
    groups, name = {}, None
    for line in lines:
        if not line.startswith(" "):
            name = re.match(r"(\w+ \w+)", line).group(1)
            groups[name] = []
        groups[name].append(line)
    return groups


def layout_break(old, new):
    """Why the struct that was `old` must not become `new`; None if it only grew."""
    old_fields, new_fields = old[1:-1], new[1:-1]
    for before, after in zip(old_fields, new_fields):
        if before != after:
            return f"{before.strip()} became {after.strip()}"
    if len(new_fields) < len(old_fields):
        return f"lost {old_fields[len(new_fields)].strip()}"
    grows = "uint32_t size" in old_fields[0] or old[0] in WITH_STRIDE
    if old != new and not grows:
        return "grew, and does not begin with its size"
    return None


def is_count(name):
    return name.endswith(("_COUNT", "_LAST"))


def breaks(old, new):
    for name, lines in old.items():
        if name not in new:
            yield f"{name} is gone"
        elif name.startswith(("struct", "union")):
            why = layout_break(lines, new[name])
            if why:
                yield f"{name}: {why}"
        elif lines != new[name] and not is_count(name):
            yield f"{lines[0]} became {new[name][0]}"


def main():
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    update, broken = "--update" in sys.argv, "--break" in sys.argv
    record = pathlib.Path(words[1])
    try:
        now = current(words[0])
    except FileNotFoundError:
        print("clang is not there")
        return CANNOT_RUN
    before = record.read_text().splitlines() if record.exists() else []
    problems = list(breaks(grouped(before), grouped(now)))
    for text in problems:
        print(f"breaks the ABI: {text}")
    if problems and not broken:
        return 1
    if update:
        record.write_text("\n".join(now) + "\n")
    elif now != before:
        print("the public tables grew: record that with `./dev abi`")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
