"""The program of this guide: values go on coming until the user wants no more. And it is short."""

import pathlib
import time
import unittest

import window

FEW = 60
ENDED = ("finished", "hub")  # and then, that an agent's last word came too late
PAUSE_S = 0.25  # of the station, between two values


class AFeed(unittest.TestCase):
    def test_values_come_until_the_user_cancels(self):
        with window.guide_window(__file__) as form:
            form.click("Load")
            form.wait_for(lambda: form.value("Mean") != "-", "the archive has been read")
            for _ in range(3):
                before = (form.value("Now"), form.value("Wind"))
                form.wait_for(lambda old=before: (form.value("Now"), form.value("Wind")) != old,
                              "another value comes")
            self.assertEqual(form.value("Weather"), "Cancel")
            form.picture(__file__)
            form.click("Cancel")
            form.wait_for(lambda: form.value("Step") in ENDED, "the feed has ended")
            values = form.texts()[:-1]
            time.sleep(3 * PAUSE_S)
            self.assertEqual(form.texts()[:-1], values)
            self.assertEqual(form.close(), 0)

    def test_the_feed_can_be_had_again_at_once(self):
        with window.guide_window(__file__) as form:
            for _ in range(5):
                form.click("Load")
                form.click("Cancel")
            form.click("Load")
            form.wait_for(lambda: form.value("Mean") != "-", "the archive has been read")
            self.assertEqual(form.value("Weather"), "Cancel")
            self.assertEqual(form.close(), 0)

    def test_the_program_is_short_and_half_of_it_are_widgets(self):
        text = (pathlib.Path(__file__).parent / "weather.c").read_text(encoding="utf-8")
        lines = [line for line in text.splitlines() if line.strip()]
        says_something = [line for line in lines if line.strip(" {};")]
        widgets = [line for line in says_something if any(
            word in line for word in ("gtk", "GTK", "Gtk", "form", "g_signal", "row"))]
        self.assertLess(len(lines), FEW)
        self.assertGreaterEqual(2 * len(widgets), len(says_something))
        guide = (pathlib.Path(__file__).parent / "README.md").read_text(encoding="utf-8")
        self.assertIn(f"in {len(lines)} lines of which half are widgets", guide)

    def test_the_guide_shows_the_program_as_it_is(self):
        self.assertEqual(window.lines_shown_but_not_there(__file__), [])


if __name__ == "__main__":
    unittest.main()
