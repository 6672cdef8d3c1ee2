"""house.py and links.py find what they are for: each case breaks one rule in a small tree."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).parent


class Tree(unittest.TestCase):
    def setUp(self):
        self.tree = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.write("hub/base/clock.c", "int clock_now(void);\n")
        self.write("README.md", "# A house\n\n## The first floor\n\n[clock](hub/base/clock.c)\n")

    def write(self, name, text):
        path = self.tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run_tool(self, tool):
        return subprocess.run([sys.executable, HERE / tool, self.tree], text=True,
                              capture_output=True)

    def accepts(self, tool):
        result = self.run_tool(tool)
        self.assertEqual((result.returncode, result.stdout), (0, ""), result.stderr)

    def refuses(self, tool, words):
        result = self.run_tool(tool)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn(words, result.stdout)


class House(Tree):
    def test_good_house_passes(self):
        self.write("hub/base/long.c", "\n" * 500)
        self.accepts("house.py")

    def test_long_file_is_refused(self):
        self.write("hub/base/long.c", "\n" * 501)
        self.refuses("house.py", "hub/base/long.c:501: ")

    def test_what_is_left_for_later_is_refused(self):
        self.write("plugins/agents/log/log.c", "\n/* TO" + "DO: rotate */\n")
        self.refuses("house.py", "plugins/agents/log/log.c:2: ")

    def test_source_that_includes_a_source_is_refused(self):
        self.write("tests/unit/base/test_clock.c", '#include "base/clock.c"\n')
        self.refuses("house.py", "tests/unit/base/test_clock.c:1: ")


class Links(Tree):
    def test_links_that_lead_somewhere_pass(self):
        self.write("guides/01.md", "[house](../README.md#the-first-floor) [net](https://x.org/)\n")
        self.accepts("links.py")

    def test_links_in_code_are_no_links(self):
        self.write("guides/01.md", "`[a](b)`\n\n```c\nx[1](2);\n```\n")
        self.accepts("links.py")

    def test_dead_link_is_refused(self):
        self.write("guides/01.md", "\nsee [this](none.md)\n")
        self.refuses("links.py", "guides/01.md:2: none.md: leads nowhere")

    def test_dead_anchor_is_refused(self):
        self.write("guides/01.md", "[house](../README.md#the-second-floor)\n")
        self.refuses("links.py", "no such heading")

    def test_way_out_of_the_tree_is_refused(self):
        self.write("guides/01.md", "[out](../../elsewhere.md)\n")
        self.refuses("links.py", "leaves the tree")


if __name__ == "__main__":
    unittest.main()
