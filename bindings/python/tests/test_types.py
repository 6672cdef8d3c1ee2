"""The package's types: strict, and of use to those who check their own programs."""

import pathlib
import re
import shutil
import subprocess
import sys
import unittest

from hubs import BUILD

HERE = pathlib.Path(__file__).parent
MYPY = shutil.which("mypy")
WRONG = """
import atamo


def use(client: atamo.Client) -> None:
    client.submit(7)
    client.submit("a", colour="red")
    client.submit("a", subject=7)
    client.request("a", answers="two")
    text: str = client.request("a").result()
"""


def check(*words):
    """What mypy says of wrong lines."""
    command = [MYPY, "--strict", "--enable-incomplete-feature=Unpack", "--cache-dir=cache", *words]
    return subprocess.run(command, env={"MYPYPATH": str(BUILD / "python")}, text=True,
                          capture_output=True).stdout


class Types(unittest.TestCase):
    def test_the_package_and_a_program_that_uses_it_are_strictly_typed(self):
        shown = check("-p", "atamo")
        self.assertIn("Success", shown, shown)
        shown = check(str(HERE / "typed.py"))
        self.assertIn("Success", shown, shown)

    def test_mistakes_of_a_program_are_found(self):
        pathlib.Path("wrong.py").write_text(WRONG)
        lines = {int(line) for line in re.findall(r"^wrong\.py:(\d+): error", check("wrong.py"), re.MULTILINE)}
        self.assertEqual(lines, {6, 7, 8, 9, 10})


if __name__ == "__main__":
    if MYPY is None:
        print("mypy is not there")
        sys.exit(77)
    unittest.main()
