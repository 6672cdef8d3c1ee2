"""What the package believes of structs and constants is what a C compiler makes of the headers."""

import pathlib
import re
import shutil
import subprocess
import unittest

from hubs import SOURCES, atamo

ffi, lib = atamo._library.ffi, atamo._library.lib
INCLUDE = SOURCES / "sdk/include"


def is_opaque(name):
    try:
        return ffi.sizeof(name) == 0
    except ffi.error:
        return True


def fields():
    """(struct, field) of every struct that is not opaque."""
    for name in sorted(ffi.list_types()[0]):
        kind = ffi.typeof(name)
        if kind.kind == "struct" and not is_opaque(name):
            yield from ((name, field) for field, _ in kind.fields)


def constants():
    return sorted(name for name in dir(lib) if isinstance(getattr(lib, name), int))


@unittest.skipUnless(shutil.which("cc"), "needs a C compiler")
class Declarations(unittest.TestCase):
    def compile_and_run(self, lines):
        source = ["#include <stdio.h>"]
        source += [f"#include <atamo/{name}.h>" for name in ("hub", "agent", "auditor")]
        source += ["int main(void)", "{", *lines, "return 0;", "}"]
        pathlib.Path("look.c").write_text("\n".join(source))
        subprocess.run(["cc", "-std=c11", f"-I{INCLUDE}", "look.c", "-o", "look"], check=True)
        return [int(word) for word in subprocess.check_output("./look").split()]

    def test_offsets_and_sizes_are_those_of_the_compiler(self):
        places = list(fields())
        self.assertGreater(len(places), 250)
        lines = [f'printf("%zu %zu\\n", offsetof({struct}, {field}), sizeof((({struct} *)0)->{field}));'
                 for struct, field in places]
        seen = self.compile_and_run(lines)
        known = []
        for struct, field in places:
            found = dict(ffi.typeof(struct).fields)[field]
            known += [found.offset, ffi.sizeof(found.type)]
        wrong = [place for at, place in enumerate(places)
                 if seen[2 * at : 2 * at + 2] != known[2 * at : 2 * at + 2]]
        self.assertEqual(wrong, [])

    def test_constants_have_the_values_of_the_compiler(self):
        names = [name for name in constants() if name.startswith("ATAMO_")]
        self.assertGreater(len(names), 150)
        seen = self.compile_and_run([f'printf("%lld\\n", (long long)({name}));' for name in names])
        self.assertEqual(dict(zip(names, seen)), {name: getattr(lib, name) for name in names})


class Coverage(unittest.TestCase):
    def test_every_status_has_an_exception(self):
        text = (INCLUDE / "atamo/status.h").read_text()
        names = set(re.findall(r"^    (ATAMO_\w+) = -", text, re.MULTILINE))
        kinds = {kind.status for kind in atamo.Error.__subclasses__()}
        self.assertEqual({getattr(lib, name) for name in names}, kinds)

    def test_every_step_is_known(self):
        names = {name for name in dir(lib) if name.startswith("ATAMO_STEP_")}
        known = {f"ATAMO_STEP_{step.name}" for step in atamo.Step}
        self.assertEqual(names - known, {"ATAMO_STEP_TEXT", "ATAMO_STEP_COUNT"})

    def test_everything_public_is_named_and_explained(self):
        for name in atamo.__all__:
            with self.subTest(name):
                self.assertTrue(getattr(atamo, name).__doc__)


if __name__ == "__main__":
    unittest.main()
