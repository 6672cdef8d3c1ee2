"""SIGHUP: a new configuration takes over whole, a broken one changes nothing, neither leaks."""

import signal
import unittest

from program import Running

CONFIG = """
agents:
  out: {{plugin: log}}
event_providers:
  input: {{plugin: stdin}}
rules:
  - id: {rule}
    then: {{agent: out, action: show}}
"""
RELOADS = 25


def write(rule):
    with open("atamo.yaml", "w", encoding="utf-8") as file:
        file.write(CONFIG.format(rule=rule))


class Reload(unittest.TestCase):
    def setUp(self):
        write("first")
        self.hub = self.enterContext(Running("atamo.yaml"))
        self.hub.shows('{"n": 0}', "by first")

    def test_new_rules_take_over(self):
        write("second")
        self.assertIn("reloaded", self.hub.reload())
        self.hub.shows('{"n": 1}', "by second")

    def test_broken_configuration_changes_nothing_and_says_why(self):
        with open("atamo.yaml", "a", encoding="utf-8") as file:
            file.write("nonsense: 1\n")
        self.hub.process.send_signal(signal.SIGHUP)
        self.assertIn("nonsense", self.hub.line_of("error"))
        self.hub.line_of("goes on as before")
        self.hub.shows('{"n": 1}', "by first")

    def test_reloads_leak_neither_descriptors_nor_threads(self):
        write("next")
        self.hub.reload()
        self.hub.shows('{"n": 0}', "by next")
        descriptors, threads = self.hub.descriptors(), self.hub.thread_count()
        for turn in range(RELOADS):
            write(f"turn-{turn}")
            self.hub.reload()
            self.hub.shows('{"n": 1}', f"by turn-{turn}")
        self.assertEqual(self.hub.descriptors(), descriptors)
        self.assertEqual(self.hub.thread_count(), threads)

    def test_everything_is_accounted_for_after_reloads(self):
        for turn in range(RELOADS):
            write(f"turn-{turn}")
            self.hub.say(f'{{"n": {turn}}}')
            self.hub.reload()
        self.assertEqual(self.hub.end_of_input(), 0)
        self.hub.line_of(f"{RELOADS + 1} accepted")
        self.hub.line_of("everything accepted is accounted for")


if __name__ == "__main__":
    unittest.main()
