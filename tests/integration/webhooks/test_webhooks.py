"""Real webhooks of GitHub through real rules: does each become exactly the actions it should?

The payloads are those of the npm package @octokit/webhooks-examples, fetched by npm into a cache
below build/ the first time. Without npm or a network the test is skipped, but not where CI is set.
"""

import collections
import json
import pathlib
import shutil
import unittest

from expected import KINDS, fan_out
from npm import fetch
from program import atamo

HERE = pathlib.Path(__file__).parent
FILE = "@octokit/webhooks-examples/api.github.com/index.json"
EXAMPLES = fetch("webhooks", HERE, FILE) / "node_modules" / FILE


def webhooks():
    """(event id, kind, payload) of all examples."""
    for group in json.loads(EXAMPLES.read_text(encoding="utf-8")):
        for number, payload in enumerate(group["examples"]):
            yield f"{group['name']}-{number}", group["name"], payload


def write_events(events):
    with open("events.jsonl", "w", encoding="utf-8") as file:
        for name, kind, payload in events:
            event = {"specversion": "1.0", "id": name, "source": "https://github.com",
                     "type": f"github.{kind}", "data": payload}
            file.write(json.dumps(event) + "\n")


def read_journal():
    """Event id -> Counter of (rule, agent) that were done; and how often each step was told."""
    ids, done, steps = {}, collections.defaultdict(collections.Counter), collections.Counter()
    with open("journal.jsonl", encoding="utf-8") as file:
        for line in file:
            record = json.loads(line)
            steps[record["step"]] += 1
            if record["step"] == "admitted":
                ids[record["message"]] = record["id"]
            elif record["step"] == "done":
                done[ids[record["message"]]][record["rule"], record["agent"]] += 1
    return done, steps


class Webhooks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.events = list(webhooks())
        write_events(cls.events)
        shutil.copy(HERE / "atamo.yaml", "atamo.yaml")
        cls.result = atamo("run", "--strict", "atamo.yaml")
        cls.done, cls.steps = read_journal()
        cls.expected = {name: collections.Counter(fan_out(kind, payload))
                        for name, kind, payload in cls.events}

    def test_there_is_something_to_test(self):
        kinds = collections.Counter(kind for _, kind, _ in self.events)
        for kind, least in (("push", 5), ("pull_request", 20), ("issues", 20)):
            self.assertGreaterEqual(kinds[kind], least, kind)
        rules = {rule for actions in self.expected.values() for rule, _ in actions}
        self.assertEqual(len(rules), 10, rules)

    def test_the_run_ends_well(self):
        self.assertEqual(self.result.returncode, 0, self.result.stderr)
        self.assertIn("everything accepted is accounted for", self.result.stderr)

    def test_each_webhook_becomes_exactly_its_actions(self):
        for name, expected in self.expected.items():
            with self.subTest(name):
                self.assertEqual(self.done[name], expected)

    def test_every_webhook_is_in_the_journal_from_beginning_to_end(self):
        self.assertEqual(self.steps["admitted"], len(self.events))
        self.assertEqual(self.steps["finished"], len(self.events))
        self.assertEqual(self.steps["done"], sum(map(collections.Counter.total,
                                                     self.expected.values())))

    def test_a_dry_run_says_the_same(self):
        chosen = {kind: (name, payload) for name, kind, payload in self.events if kind in KINDS}
        for kind, (name, payload) in chosen.items():
            event = {"type": f"github.{kind}", "id": name, "source": "x", "data": payload}
            result = atamo("rules", "test", "atamo.yaml", "--event", "-", "--json",
                           text=json.dumps(event))
            self.assertEqual(result.returncode, 0, result.stderr)
            actions = json.loads(result.stdout)["actions"]
            with self.subTest(kind):
                self.assertEqual(collections.Counter((a["rule"], a["agent"]) for a in actions),
                                 self.expected[name])


unittest.main()
