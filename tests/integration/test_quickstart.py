"""The quick start: what it promises is what happens, and it ends by itself."""

import json
import os
import pathlib
import unittest

from program import SOURCES, atamo

CONFIG = str(SOURCES / "configs/quickstart/atamo.yaml")
BOOKS = pathlib.Path(os.environ["TMPDIR"]) / "atamo-quickstart-books.jsonl"


class QuickStart(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.result = atamo("run", CONFIG)
        cls.books = [json.loads(line) for line in BOOKS.read_text().splitlines()]

    @classmethod
    def tearDownClass(cls):
        BOOKS.unlink()

    def test_ends_well(self):
        self.assertEqual(self.result.returncode, 0, self.result.stderr)
        self.assertIn("everything accepted is accounted for", self.result.stderr)

    def test_a_parcel_is_booked_at_the_third_attempt(self):
        line = next(line for line in self.result.stdout.splitlines() if "parcels.book" in line)
        self.assertIn("attempt 1 ", line)
        self.assertIn("attempt 2 ", line)
        self.assertNotIn("dead", line)

    def test_one_message_ends_as_a_dead_letter(self):
        dead = [line for line in self.result.stdout.splitlines() if "dead:" in line]
        self.assertEqual(len(dead), 1, dead)
        self.assertIn("1 dead letter", self.result.stderr)

    def test_every_order_is_in_the_books(self):
        self.assertGreater(len(self.books), 0)
        self.assertEqual({entry["rule"] for entry in self.books}, {"orders-in-the-books"})

    def test_its_rules_pass_the_check(self):
        self.assertEqual(atamo("check", CONFIG).returncode, 0)


if __name__ == "__main__":
    unittest.main()
