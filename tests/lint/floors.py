"""Prove the floors: floors.py [TREE]. Prints each violation as file:line and exits 1.

A file below hub/FLOOR/ includes its own floor, the floors that hub/CMakeLists.txt names as LOWER for
it with all below those, <atamo/...> and the system. Plugins, guides and the SDK include <atamo/...>,
files of their own folder and the system. Include paths prove the same when a file is compiled; this
also sees files that no target compiles, and paths with "..".
"""

import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')
FLOOR = re.compile(r"atamo_floor\(\s*(\w+)([^)]*)\)")
KEYWORDS = {"LOWER", "LIBRARIES"}
ABOVE_ALL = {"cli"}  # programs: they see every floor
SDK_ONLY = ("plugins", "guides", "sdk")


def read_floors(tree):
    """Floor name -> set of the floors it may include, itself among them."""
    lower = {}
    text = (tree / "hub" / "CMakeLists.txt").read_text()
    for name, arguments in FLOOR.findall(re.sub(r"#.*", "", text)):
        named, keyword = set(), None
        for word in arguments.split():
            if word in KEYWORDS:
                keyword = word
            elif keyword == "LOWER":
                named.add(word)
        lower[name] = {name}.union(*(lower.get(floor, {floor}) for floor in named))
    return lower


def sources(folder):
    for path in sorted(folder.rglob("*")):
        hidden = {"node_modules", "build"} & set(path.relative_to(folder).parts)
        if path.suffix in (".c", ".h", ".cc") and not hidden:
            yield path


def includes(path):
    """(line number, quoted name or None, system name or None) of each include."""
    lines = path.read_text(errors="replace").splitlines()
    for number, line in enumerate(lines, 1):
        found = INCLUDE.match(line)
        if found:
            yield number, found.group(1), found.group(2)


def hub_problem(floor, lower, quoted, system, tree):
    name = quoted or system
    if ".." in pathlib.PurePosixPath(name).parts:
        return "leaves its folder with '..'"
    first = name.split("/")[0]
    if first == "atamo":
        return None if system else "the SDK is included as <atamo/...>"
    if system:
        return "floors are included with quotes" if first in lower and "/" in name else None
    if first not in lower or "/" not in name:
        return f'expected "FLOOR/header.h" with one of {", ".join(sorted(lower))}'
    if floor not in ABOVE_ALL and first not in lower[floor]:
        return f"{floor} may not see {first}"
    return None if (tree / "hub" / name).is_file() else "no such header"


def check_hub(tree, lower):
    for path in sources(tree / "hub"):
        parts = path.relative_to(tree / "hub").parts
        floor = parts[0] if len(parts) > 1 else None
        if floor not in lower and floor not in ABOVE_ALL:
            yield path, 1, "in no floor that hub/CMakeLists.txt names"
            continue
        for number, quoted, system in includes(path):
            own = floor in ABOVE_ALL and quoted and (quoted.split("/")[0] == floor)
            problem = None if own else hub_problem(floor, lower, quoted, system, tree)
            if problem:
                yield path, number, f"{quoted or system}: {problem}"


def is_own_file(path, quoted, top):
    target = (path.parent / quoted).resolve()
    return target.is_file() and target.is_relative_to(top.resolve())


def own_folder(path, tree):
    """The folder whose files belong together: of a plugin, a guide, the SDK."""
    parts = path.relative_to(tree).parts
    depth = {"plugins": 3, "guides": 2, "sdk": 1}[parts[0]]
    return tree.joinpath(*parts[: min(depth, len(parts) - 1)])


def check_sdk_only(tree, lower):
    for folder in SDK_ONLY:
        for path in sources(tree / folder):
            for number, quoted, system in includes(path):
                name = quoted or system
                first = name.split("/")[0]
                if first == "atamo" and (tree / "sdk" / "include" / name).is_file():
                    continue
                if first == "atamo":
                    yield path, number, f"{name}: no such header in the SDK"
                elif quoted and not is_own_file(path, quoted, own_folder(path, tree)):
                    yield path, number, f"{name}: not in its own folder, and not <atamo/...>"
                elif system and first in {"hub", *lower} and "/" in name:
                    yield path, number, f"{name}: only <atamo/...> of the hub may be seen"


def main():
    tree = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    lower = read_floors(tree)
    problems = [*check_hub(tree, lower), *check_sdk_only(tree, lower)]
    for path, number, text in problems:
        print(f"{path.relative_to(tree)}:{number}: {text}")
    return 1 if problems or not lower else 0


if __name__ == "__main__":
    sys.exit(main())
