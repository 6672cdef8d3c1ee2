"""The program of this guide: it asks its hub, and shows what comes back."""

import unittest

import window


class HubInAWindow(unittest.TestCase):
    def test_the_hub_answers_in_the_window_and_goes_with_it(self):
        with window.guide_window(__file__) as form:
            self.assertEqual(form.texts()[-3:], ["Weather", "Load", "-"])
            form.click("Load")
            form.wait_for(lambda: form.texts()[-1] == "not found", "nobody has the weather")
            form.picture(__file__)
            self.assertEqual(form.close(), 0)

    def test_the_guide_shows_the_program_as_it_is(self):
        self.assertEqual(window.lines_shown_but_not_there(__file__), [])


if __name__ == "__main__":
    unittest.main()
