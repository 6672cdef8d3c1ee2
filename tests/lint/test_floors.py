"""floors.py finds what it is for: each case is a small tree with one file that breaks one rule."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

FLOORS = pathlib.Path(__file__).with_name("floors.py")
HOUSE = """
atamo_floor(base LIBRARIES Threads::Threads)
atamo_floor(model LOWER base)
atamo_floor(rules LOWER model)
atamo_floor(store LOWER model)
"""


class Floors(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.tree = pathlib.Path(folder.name)
        self.write("hub/CMakeLists.txt", HOUSE)
        self.write("sdk/include/atamo/status.h", "#include <stdint.h>\n")
        for floor in ("base", "model", "rules", "store"):
            self.write(f"hub/{floor}/{floor}.h", "#include <atamo/status.h>\n")

    def write(self, name, text):
        path = self.tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run_floors(self):
        return subprocess.run([sys.executable, FLOORS, self.tree], text=True, capture_output=True)

    def refuses(self, name, include):
        self.write(name, f"#include <stdlib.h>\n#include {include}\n")
        result = self.run_floors()
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        self.assertIn(f"{name}:2: ", result.stdout)

    def accepts(self, name, include):
        self.write(name, f"#include <stdlib.h>\n#include {include}\n")
        result = self.run_floors()
        self.assertEqual((result.returncode, result.stdout), (0, ""), result.stderr)

    def test_include_downwards_is_accepted_over_several_floors(self):
        self.accepts("hub/rules/index.c", '"base/base.h"')

    def test_include_upwards_is_refused(self):
        self.refuses("hub/base/clock.c", '"rules/rules.h"')

    def test_include_sideways_is_refused(self):
        self.refuses("hub/rules/index.c", '"store/store.h"')

    def test_way_around_by_dots_is_refused(self):
        self.refuses("hub/base/clock.c", '"../rules/rules.h"')

    def test_floor_in_angle_brackets_is_refused(self):
        self.refuses("hub/base/clock.c", "<rules/rules.h>")

    def test_header_that_is_not_there_is_refused(self):
        self.refuses("hub/rules/index.c", '"base/none.h"')

    def test_folder_that_is_no_floor_is_refused(self):
        self.write("hub/utils/utils.c", "#include <stdlib.h>\n")
        self.assertEqual(self.run_floors().returncode, 1)

    def test_plugin_sees_sdk_and_own_folder(self):
        self.write("plugins/agents/file/rotate.h", "#include <atamo/status.h>\n")
        self.accepts("plugins/agents/file/file.c", '"rotate.h"')

    def test_plugin_that_includes_the_hub_is_refused(self):
        self.refuses("plugins/agents/file/file.c", '"../../../hub/base/base.h"')

    def test_plugin_that_includes_a_floor_is_refused(self):
        self.refuses("plugins/agents/file/file.c", '"base/base.h"')

    def test_plugin_that_includes_another_plugin_is_refused(self):
        self.write("plugins/agents/log/log.h", "")
        self.refuses("plugins/agents/file/file.c", '"../log/log.h"')

    def test_sdk_that_includes_the_hub_is_refused(self):
        self.refuses("sdk/check/check.c", '"../../hub/base/base.h"')

    def test_guide_that_includes_the_hub_is_refused(self):
        self.refuses("guides/01-first/agent.c", "<hub/base/base.h>")


if __name__ == "__main__":
    unittest.main()
