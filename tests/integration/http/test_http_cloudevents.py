"""The npm package `cloudevents` as a client: what it makes of events arrives whole.

The package is fetched by npm into a cache below build/ the first time. Without npm or a network the
test is skipped, but not where CI is set.
"""

import json
import pathlib
import subprocess
import unittest

from npm import fetch
from service import serve

HERE = pathlib.Path(__file__).parent
CACHE = fetch("cloudevents", HERE, "cloudevents/package.json")
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


unittest.main()
