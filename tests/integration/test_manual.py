"""The manual knows every command and option that the program knows."""

import re
import shutil
import subprocess
import unittest

from program import SOURCES, atamo

PAGES = sorted((SOURCES / "docs" / "man").glob("*.[1-8]"))


def commands():
    """'rules test' and so on, from `atamo help`: lower-case words before the first argument."""
    words = r"^  ([a-z]+(?: [a-z]+)?)(?: [A-Z\[][^ ]*)* {2,}"
    return re.findall(words, atamo("help").stdout, re.MULTILINE)


def options(*words):
    return set(re.findall(r"^  --([a-z-]+)", atamo("help", *words).stdout, re.MULTILINE))


class Manual(unittest.TestCase):
    def setUp(self):
        self.text = (SOURCES / "docs" / "man" / "atamo.1").read_text(encoding="utf-8")

    def test_every_command_is_there(self):
        found = commands()
        self.assertIn("run", found)
        for command in found:
            with self.subTest(command):
                self.assertTrue(re.search(rf"(?m)^\.It Cm {command}\b", self.text), "missing")

    def test_every_option_is_there(self):
        common = options()
        for option in common:
            self.assertIn(f"Fl -{option}", self.text)
        for command in commands():
            entry = re.split(rf"\n\.It Cm {command}\b", self.text, maxsplit=1)[-1]
            entry = entry.split("\n.It Cm ", 1)[0]
            for option in options(*command.split()) - common:
                with self.subTest(command=command, option=option):
                    self.assertTrue(f"Fl -{option}" in entry, "not in the manual")

    @unittest.skipUnless(shutil.which("mandoc"), "mandoc is not there")
    def test_pages_are_good_mdoc(self):
        for page in PAGES:
            with self.subTest(page.name):
                result = subprocess.run(["mandoc", "-Tlint", "-W", "warning", page], text=True,
                                        capture_output=True)
                self.assertEqual(result.returncode, 0, result.stdout)


if __name__ == "__main__":
    unittest.main()
