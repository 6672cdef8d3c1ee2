"""The manual knows every command and option that the program knows."""

import re
import shutil
import subprocess
import unittest

from program import SOURCES, atamo

PAGES = sorted((SOURCES / "docs" / "man").glob("*.[1-8]"))


def commands():
    """'rules test' and so on, from `atamo help`."""
    words = r"^  ([a-z]+(?: (?:test|list|show|new|check|put|rm|replay|drop))?)\s"
    return re.findall(words, atamo("help").stdout, re.MULTILINE)


class Manual(unittest.TestCase):
    def setUp(self):
        self.text = (SOURCES / "docs" / "man" / "atamo.1").read_text(encoding="utf-8")

    def test_every_command_is_there(self):
        found = commands()
        self.assertIn("run", found)
        for command in found:
            with self.subTest(command):
                self.assertRegex(self.text, rf"(?m)^\.It Cm {command}\b")

    def test_every_option_is_there(self):
        for command in commands():
            entry = self.text.split(f"\n.It Cm {command}", 1)[-1].split("\n.It Cm ", 1)[0]
            for option in re.findall(r"^  --([a-z-]+)", atamo("help", *command.split()).stdout,
                                     re.MULTILINE):
                with self.subTest(command=command, option=option):
                    self.assertIn(f"Fl -{option}", entry)

    @unittest.skipUnless(shutil.which("mandoc"), "mandoc is not there")
    def test_pages_are_good_mdoc(self):
        for page in PAGES:
            with self.subTest(page.name):
                result = subprocess.run(["mandoc", "-Tlint", "-W", "warning", page], text=True,
                                        capture_output=True)
                self.assertEqual(result.returncode, 0, result.stdout)


if __name__ == "__main__":
    unittest.main()
