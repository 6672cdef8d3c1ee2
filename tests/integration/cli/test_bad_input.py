"""Every command with input that it cannot use: the exit code says what kind of mistake it was, the
sentence says which, and nothing comes out that looks like a result."""

import os
import unittest

from program import SOURCES, atamo

MINIMAL = str(SOURCES / "configs/minimal/atamo.yaml")
TAKES_CONFIG = (["run"], ["check"], ["rules", "list"], ["rules", "test", "--event", "event.json"],
                ["simulate", "--events", "event.json"])
FAILED, USAGE, NOT_FOUND, DENIED, INVALID = 1, 2, 3, 4, 6


class BadInput(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        os.mkdir("folder")
        for name, text in (("empty", ""), ("event.json", '{"type": "a.b"}'),
                           ("broken.yaml", "rules: [\n")):
            with open(name, "w", encoding="utf-8") as file:
                file.write(text)

    def refused(self, words, code, said):
        with self.subTest(" ".join(words)):
            result = atamo(*words, text="")
            self.assertEqual(result.returncode, code, result.stderr)
            self.assertIn(said, result.stderr)
            self.assertEqual(result.stdout, "")

    def test_configuration_that_is_not_there(self):
        for command in TAKES_CONFIG:
            self.refused([*command, "none.yaml"], NOT_FOUND, "none.yaml")

    def test_configuration_that_is_a_folder(self):
        for command in TAKES_CONFIG:
            self.refused([*command, "folder"], FAILED, "folder")

    def test_configuration_that_is_no_yaml_says_where(self):
        for command in TAKES_CONFIG:
            self.refused([*command, "broken.yaml"], INVALID, "broken.yaml:")

    def test_no_configuration_and_two_of_them_are_usage_errors(self):
        for command in TAKES_CONFIG:
            if command[0] != "rules":  # they ask a running hub then
                self.refused(command, USAGE, "usage: atamo")
            self.refused([*command, MINIMAL, MINIMAL], USAGE, "one argument too many")

    def test_event_that_cannot_be_read(self):
        test = ["rules", "test", MINIMAL, "--event"]
        self.refused([*test, "none.json"], NOT_FOUND, "none.json")
        self.refused([*test, "folder"], FAILED, "folder")
        self.refused([*test, "empty"], INVALID, "not JSON")
        self.refused([*test, "broken.yaml"], INVALID, "not JSON")

    def test_plugin_project_that_cannot_be_made(self):
        new = ["plugin", "new"]
        self.refused([*new, "agnt", "mine"], USAGE, 'did you mean "agent"?')
        self.refused([*new, "agent", "Mine"], USAGE, "cannot be a plugin's name")
        self.refused([*new, "agent", "../mine"], USAGE, "cannot be a plugin's name")
        self.refused([*new, "agent", "folder"], FAILED, "is there already: nothing was written")
        self.refused([*new, "--dir", "none", "agent", "mine"], FAILED, "none/mine")
        self.assertFalse(os.path.exists("mine"))

    def test_endless_event_is_refused(self):
        self.refused(["rules", "test", MINIMAL, "--event", "/dev/zero"], INVALID, "too large")

    @unittest.skipIf(os.geteuid() == 0, "nothing is unreadable for root")
    def test_event_that_may_not_be_read(self):
        os.chmod("event.json", 0)
        self.addCleanup(os.chmod, "event.json", 0o600)
        self.refused(["rules", "test", MINIMAL, "--event", "event.json"], DENIED, "event.json")

    def test_tests_of_rules_that_cannot_be_used(self):
        self.refused(["test", "none"], NOT_FOUND, "none")
        self.refused(["test", "folder"], NOT_FOUND, "no tests found")
        self.assertEqual(atamo("test", "empty").returncode, INVALID)

    def test_journal_that_cannot_be_written(self):
        words = ["simulate", MINIMAL, "--events", "event.json", "--journal", "folder/none/journal"]
        self.refused(words, FAILED, "cannot write")

    def test_values_that_make_no_sense(self):
        self.refused(["run", "--for", "soon", MINIMAL], USAGE, "expected a duration")
        self.refused(["check", "--color=pink", MINIMAL], USAGE, "expected auto, always or never")
        self.refused(["simulate", MINIMAL, "--events", "event.json", "--days", "many"], USAGE,
                     "expected a whole number")
        self.refused(["check", "--json=yes", MINIMAL], USAGE, "takes no value")
        self.refused(["run", MINIMAL, "--for"], USAGE, "--for needs DURATION")

    def test_misspelt_words_name_the_nearest(self):
        self.refused(["rulez", "test"], USAGE, '"rules test"')
        self.refused(["rules", "lsit"], USAGE, '"rules list"')
        self.refused(["check", "--jsn", MINIMAL], USAGE, "--json")
        self.refused(["run", "--quit", MINIMAL], USAGE, "--quiet")
        self.refused(["bench", "fanuot"], USAGE, '"fanout"')
        self.refused(["help", "chek"], USAGE, '"check"')

    def test_half_a_command_and_short_options_are_usage_errors(self):
        self.refused(["rules"], USAGE, "needs another word")
        self.refused(["check", "-j", MINIMAL], USAGE, "no option -j")
        self.refused([], USAGE, "Usage: atamo")


if __name__ == "__main__":
    unittest.main()
