"""The program of this guide: it loads, can be used meanwhile, and can be told to stop."""

import unittest

import window

ENDED = ("finished", "hub")  # and then, that the agent's last word came too late
SMOOTH_MS = 500  # loading takes 2 s; the machine may be busy with other tests


class LoadInTheBackground(unittest.TestCase):
    def test_the_form_lives_while_it_loads(self):
        with window.guide_window(__file__) as form:
            form.longest_gap_ms()
            form.click("Load")
            form.wait_for(lambda: form.value("Read") not in ("0 %", "100 %"), "it reads")
            self.assertEqual(form.value("Weather"), "Cancel")
            self.assertEqual(form.value("Step"), "responded")
            form.wait_for(lambda: form.value("Highest") != "-", "it is loaded")
            form.wait_for(lambda: form.value("Weather") == "Load", "it can load again")
            form.wait_for(lambda: form.value("Step") == "delivered", "telemetry says so")
            self.assertEqual((form.value("Read"), form.value("Mean"), form.value("Highest")),
                             ("100 %", "10.5 °C", "26.8 °C"))
            self.assertLess(form.longest_gap_ms(), SMOOTH_MS)
            form.picture(__file__)
            self.assertEqual(form.close(), 0)

    def test_cancel_ends_the_loading(self):
        with window.guide_window(__file__) as form:
            form.click("Load")
            form.wait_for(lambda: form.value("Read") != "0 %", "it reads")
            form.click("Cancel")
            form.wait_for(lambda: form.value("Step") in ENDED, "telemetry says so")
            self.assertEqual((form.value("Weather"), form.value("Mean")), ("Load", "-"))
            self.assertNotEqual(form.value("Read"), "100 %")

    def test_the_window_closes_while_it_loads(self):
        with window.guide_window(__file__) as form:
            form.click("Load")
            form.wait_for(lambda: form.value("Read") != "0 %", "it reads")
            self.assertEqual(form.close(), 0)

    def test_the_guide_shows_the_program_as_it_is(self):
        self.assertEqual(window.lines_shown_but_not_there(__file__), [])


if __name__ == "__main__":
    unittest.main()
