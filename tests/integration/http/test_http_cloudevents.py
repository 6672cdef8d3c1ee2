"""The npm package `cloudevents` as a client: what it makes of events arrives whole.

The package is fetched by npm into a cache below build/ the first time. Without npm or a network the
test is skipped, but not where CI is set.
"""

import fcntl
import json
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

from program import SOURCES
from service import serve

HERE = pathlib.Path(__file__).parent
CACHE = SOURCES / "build" / "cache" / "cloudevents"
PACKAGE = CACHE / "node_modules/cloudevents/package.json"
SKIPPED = 77
CONFIG = """
agents: {file: {plugin: file, config: {path: seen.jsonl}}}
event_providers: {api: HTTP}
events: {npm.sent: {required: [subject]}, npm.strict: {required: [data.total]}}
rules:
  - id: keep
    on: npm.sent
    then:
      agent: file
      action: append
      with: {id: "${id}", subject: "${subject}", shop: "${shopid}",
             kind: "${datacontenttype:-none}", data: "${data:-none}"}
"""
SUBJECT = 'the "quoted" subject'


def fetch():
    """Have npm put the package into the cache, once; returns whether it is there."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several builds are tested at the same time
        if PACKAGE.is_file():
            return True
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, CACHE / name)
        command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        try:
            result = subprocess.run(command, cwd=CACHE, timeout=120, stdin=subprocess.DEVNULL)
        except (FileNotFoundError, subprocess.TimeoutExpired) as problem:
            print(f"npm: {problem}")
            return False
        return result.returncode == 0 and PACKAGE.is_file()


class CloudEvents(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with serve(CONFIG) as service:
            result = subprocess.run(
                ["node", HERE / "client.mjs", CACHE, f"http://{service.address}/v1/events"],
                text=True, capture_output=True, timeout=60)
            if result.returncode != 0:
                raise AssertionError(result.stderr)
            cls.answers = json.loads(result.stdout)
            service.when(lambda: service.stats()["in_flight"] == 0)
        with open("seen.jsonl", encoding="utf-8") as file:
            seen = [json.loads(line)["body"] for line in file]
        cls.seen = {event["id"]: event for event in seen}

    def test_everything_is_taken_but_what_the_type_forbids(self):
        for name, answer in self.answers.items():
            with self.subTest(name):
                if name == "refused":
                    self.assertEqual(answer["status"], 422)
                    self.assertIn("data.total", answer["body"]["detail"])
                elif name == "batch":
                    self.assertEqual(answer["status"], 202)
                    self.assertEqual([event["id"] for event in answer["body"]["events"]],
                                     ["batch-0", "batch-1", "batch-2"])
                else:
                    self.assertEqual((answer["status"], answer["body"]["state"]), (200, "done"))

    def test_attributes_and_data_arrive_as_they_were(self):
        wanted = {"binary": {"n": 1, "text": "ü"}, "structured": [1, {"b": None}],
                  "text": "plain words", "batch-1": {"number": 1},
                  "emitter-binary": {"mode": "binary"}, "emitter-structured": {"mode": "structured"}}
        for name, data in wanted.items():
            with self.subTest(name):
                event = self.seen[name]
                self.assertEqual((event["subject"], event["shop"], event["data"]),
                                 (SUBJECT, "a b", data))
        self.assertEqual(set(self.seen), {*wanted, "bytes", "batch-0", "batch-2"})
        self.assertEqual(self.seen["text"]["kind"], "text/plain")


if __name__ == "__main__":
    if not fetch():
        sys.exit(1 if os.environ.get("CI") else SKIPPED)
    unittest.main()
