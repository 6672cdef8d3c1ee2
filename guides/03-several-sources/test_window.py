"""The program of this guide: two agents answer one request, each when it can."""

import unittest

import window


class SeveralSources(unittest.TestCase):
    def test_the_fast_source_is_shown_while_the_slow_one_is_read(self):
        with window.guide_window(__file__) as form:
            form.click("Load")
            form.wait_for(lambda: form.value("Now") != "-", "the station answers")
            self.assertEqual((form.value("Weather"), form.value("Mean")), ("Cancel", "-"))
            form.wait_for(lambda: form.value("Weather") == "Load", "both have answered")
            self.assertEqual(form.value("Mean"), "10.5 °C")
            self.assertRegex(form.value("Now"), r"^1[23]\.\d °C$")
            self.assertRegex(form.value("Wind"), r"^[456]\.\d m/s$")
            form.wait_for(lambda: form.value("Step") == "delivered", "telemetry says so")
            form.picture(__file__)
            self.assertEqual(form.close(), 0)

    def test_the_guide_shows_the_program_as_it_is(self):
        self.assertEqual(window.lines_shown_but_not_there(__file__), [])


if __name__ == "__main__":
    unittest.main()
