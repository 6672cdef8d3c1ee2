"""`atamo run` from its first line to its exit code."""

import signal
import unittest

from program import SOURCES, Running, atamo

MINIMAL = str(SOURCES / "configs/minimal/atamo.yaml")
WITH_PROCESS = """
agents:
  show: {plugin: log}
  echo:
    plugin: exec
    config: {command: [python3, "ECHO"], workers: 2}
event_providers:
  input: {plugin: stdin}
rules:
  - id: everything
    then: [{agent: echo, action: echo}, {agent: show, action: show}]
"""


class Run(unittest.TestCase):
    def test_lines_on_stdin_come_out_of_the_agent_in_order(self):
        result = atamo("run", MINIMAL, text='{"n": 1}\n{"n": 2}\n{"n": 3}\n')
        self.assertEqual(result.returncode, 0, result.stderr)
        numbers = [line.split('"n": ')[1][0] for line in result.stdout.splitlines()]
        self.assertEqual(numbers, ["1", "2", "3"])

    def test_summary_accounts_for_everything(self):
        result = atamo("run", MINIMAL, text='{"n": 1}\n')
        self.assertIn("1 accepted", result.stderr)
        self.assertIn("everything accepted is accounted for", result.stderr)

    def test_line_that_is_no_json_is_told_and_the_others_go_on(self):
        result = atamo("run", MINIMAL, text='{"n": 1}\nnonsense\n{"n": 2}\n')
        self.assertEqual(len(result.stdout.splitlines()), 2)
        self.assertRegex(result.stderr, r"stdin:2: not JSON")

    def test_large_input_is_taken_whole(self):
        count = 20000
        text = "".join(f'{{"n": {n}}}\n' for n in range(count))
        result = atamo("run", MINIMAL, text=text)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(len(result.stdout.splitlines()), count)

    def test_data_goes_to_stdout_and_talk_to_stderr(self):
        result = atamo("run", MINIMAL, text='{"n": 1}\n')
        self.assertEqual(len(result.stdout.splitlines()), 1)
        self.assertNotIn("\033", result.stdout + result.stderr)

    def test_termination_stops_gracefully_and_ends_worker_processes(self):
        echo = str(SOURCES / "tests/clients/python/echo.py")
        with open("atamo.yaml", "w", encoding="utf-8") as file:
            file.write(WITH_PROCESS.replace("ECHO", echo))
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number), Running("atamo.yaml") as hub:
                hub.shows('{"n": 1}', '"n":')
                self.assertEqual(hub.wait_for_children(2), 2)
                self.assertEqual(hub.stop(number), 0)


class Refused(unittest.TestCase):
    def check(self, words, status, said):
        result = atamo(*words)
        self.assertEqual(result.returncode, status, result.stderr)
        self.assertIn(said, result.stderr)

    def test_unknown_command_names_the_nearest(self):
        self.check(["chek"], 2, '"check"')

    def test_unknown_option_is_a_usage_error(self):
        self.check(["run", "--no-such-thing", MINIMAL], 2, "--no-such-thing")

    def test_configuration_that_is_not_there(self):
        self.check(["run", "none.yaml"], 3, "none.yaml")

    def test_configuration_that_is_wrong_starts_nothing_and_says_where(self):
        with open("wrong.yaml", "w", encoding="utf-8") as file:
            file.write("agents:\n  out: {plugin: log, config: {too: stdout}}\n")
        self.check(["run", "wrong.yaml"], 6, "wrong.yaml:2:")
        self.check(["check", "wrong.yaml"], 6, "wrong.yaml:2:")


if __name__ == "__main__":
    unittest.main()
