"""The ABI gate lets growth pass and stops breaks: each case changes a copy of the headers."""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).parent
INCLUDE = HERE.parent.parent / "sdk" / "include"

LAST = "uint64_t requests, feeds, replies, replies_lost;"  # the last field of atamo_stats


class Abi(unittest.TestCase):
    def setUp(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        self.include = pathlib.Path(folder) / "include"
        self.record = pathlib.Path(folder) / "abi.txt"
        shutil.copytree(INCLUDE, self.include)
        self.assertEqual(self.run_abi("--update").returncode, 0)

    def run_abi(self, *words):
        command = [sys.executable, HERE / "abi.py", *words, self.include, self.record]
        return subprocess.run(command, text=True, capture_output=True)

    def change(self, header, old, new):
        path = self.include / "atamo" / header
        text = path.read_text()
        self.assertIn(old, text)
        path.write_text(text.replace(old, new, 1))

    def grows(self):
        self.assertEqual(self.run_abi().returncode, 1, "growth must be recorded")
        self.assertEqual(self.run_abi("--update").returncode, 0)
        self.assertEqual(self.run_abi().returncode, 0)

    def breaks(self, words):
        for result in (self.run_abi(), self.run_abi("--update")):
            self.assertEqual(result.returncode, 1)
            self.assertIn(words, result.stdout)

    def test_what_did_not_change_passes(self):
        self.assertEqual(self.run_abi().returncode, 0)

    def test_field_at_the_end_of_a_table_with_its_size_is_growth(self):
        self.change("hub.h", LAST, "uint64_t requests, feeds, replies, replies_lost, last;")
        self.grows()

    def test_new_function_is_growth(self):
        self.change("hub.h", "ATAMO_API int atamo_wait(",
                    "ATAMO_API int atamo_more(void);\nATAMO_API int atamo_wait(")
        self.grows()

    def test_field_in_the_middle_breaks(self):
        self.change("hub.h", LAST, "uint64_t added, requests, feeds, replies, replies_lost;")
        self.breaks("struct atamo_stats")

    def test_field_that_is_gone_breaks(self):
        self.change("hub.h", LAST, "")
        self.breaks("lost")

    def test_other_type_at_the_same_place_breaks(self):
        self.change("hub.h", LAST, "int64_t requests, feeds, replies, replies_lost;")
        self.breaks("became")

    def test_struct_without_its_size_must_not_grow(self):
        self.change("status.h", "    size_t size;\n}", "    size_t size;\n    size_t more;\n}")
        self.breaks("struct atamo_bytes")

    def test_constant_with_another_value_breaks(self):
        self.change("status.h", "ATAMO_CONFLICT = -13", "ATAMO_CONFLICT = -14")
        self.breaks("ATAMO_CONFLICT")

    def test_function_with_another_type_breaks(self):
        self.change("hub.h", "atamo_wait(atamo_client *client, uint32_t timeout_ms)",
                    "atamo_wait(atamo_client *client, uint64_t timeout_ms)")
        self.breaks("atamo_wait")


if __name__ == "__main__":
    sys.exit(77 if shutil.which("clang") is None else unittest.main())
