"""atamo dev: the first five minutes, as a new user spends them."""

import json
import pathlib
import queue
import re
import subprocess
import threading
import unittest
import urllib.request

from program import ATAMO, atamo

LIMIT_S = 20


class Dev:
    """`atamo dev` on a free port: a context."""

    def __init__(self, *words):
        self.process = subprocess.Popen([ATAMO, "dev", "--port", "0", *words], text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.lines = queue.Queue()
        self.thread = threading.Thread(target=self._read)
        self.thread.start()
        self.url = "http://" + self.line_of(r"listening on http://(\S+)").group(1)

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(LIMIT_S)
        self.thread.join()
        self.process.stdout.close()

    def line_of(self, pattern):
        while True:
            found = re.search(pattern, self.lines.get(timeout=LIMIT_S))
            if found:
                return found

    def post(self, kind, data, query=""):
        """As `curl -d` would: with curl's content type."""
        request = urllib.request.Request(f"{self.url}/v1/events{query}", data=data.encode(),
                                         headers={"ce-type": kind})
        with urllib.request.urlopen(request, timeout=LIMIT_S) as answer:
            return json.load(answer)


class FirstMinutes(unittest.TestCase):
    def test_a_file_of_rules_is_begun_and_what_is_posted_takes_its_way(self):
        with Dev() as dev:
            self.assertIn("order.created", pathlib.Path("rules.yaml").read_text())
            outcome = dev.post("order.created", '{"total": 120}', "?wait=10s")
            self.assertEqual(outcome["state"], "done")
            self.assertEqual({(action["rule"], action["agent"]) for action in outcome["actions"]},
                             {("orders", "log"), ("big-orders", "log")})
            dev.line_of("big-orders -> log.tell-sales")

    def test_an_event_that_fails_twice_is_tried_again(self):
        with Dev() as dev:
            outcome = dev.post("fail-twice", "{}", "?wait=20s")
            self.assertEqual([action["attempt"] for action in outcome["actions"]], [3])
            self.assertEqual(outcome["state"], "done")

    def test_rules_that_are_saved_are_read_again_and_mistakes_change_nothing(self):
        rules = pathlib.Path("mine.yaml")
        rules.write_text("- {id: one, on: a, then: [{agent: mail, action: send}]}\n")
        with Dev("mine.yaml") as dev:
            self.assertEqual(dev.post("a", "{}", "?wait=10s")["actions"][0]["rule"], "one")
            rules.write_text("- {id: two, on: a, then: [{agent: sms, action: send}]}\n")
            dev.line_of("reloaded mine.yaml")
            self.assertEqual(dev.post("a", "{}", "?wait=10s")["actions"][0]["agent"], "sms")
            rules.write_text("- {id: three\n")
            dev.line_of("the hub goes on as before")
            self.assertEqual(dev.post("a", "{}", "?wait=10s")["actions"][0]["rule"], "two")

    def test_nothing_is_left_behind_but_the_rules(self):
        with Dev():
            pass
        self.assertEqual([path.name for path in pathlib.Path(".").glob("*.yaml")], ["rules.yaml"])

    def test_a_file_that_is_not_there_is_said_to_be_missing(self):
        result = atamo("dev", "nowhere.yaml")
        self.assertEqual(result.returncode, 3)
        self.assertIn("nowhere.yaml", result.stderr)


unittest.main()
