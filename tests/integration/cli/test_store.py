"""What a person does with the store of a durable hub: trace, dead letters, check, backup, restore."""

import json
import os
import pathlib
import signal
import unittest

from program import Running, atamo

CONFIG = """
hub: {mode: durable}
store: {plugin: lmdb, config: {path: hub.store}}
agents:
  out: {plugin: log, config: {to: stdout}}
  bad: {plugin: flaky, config: {fail_first: FAILS, retry_after: 1ms},
        retry: {attempts: 2, base: 1ms, max: 2ms}}
event_providers:
  input: {plugin: stdin, config: {type: order.created}}
rules:
  - {id: show, on: order.created, then: {agent: out, action: show}}
  - {id: large, on: order.created, when: {data: {total: [{numeric: [">=", 100]}]}},
     then: {agent: bad, action: review}}
"""


def order(name, total):
    return json.dumps({"specversion": "1.0", "id": name, "source": "/shop",
                       "type": "order.created", "data": {"total": total}}) + "\n"


def configure(fails):
    pathlib.Path("hub.yaml").write_text(CONFIG.replace("FAILS", str(fails)), encoding="utf-8")


def listed(*filters):
    return json.loads(atamo("dead", "list", "hub.yaml", "--json", *filters).stdout)


class Store(unittest.TestCase):
    def setUp(self):
        for path in pathlib.Path(".").glob("*.store*"):
            path.unlink()
        configure(fails=9)

    def fill(self):
        orders = order("o-1", 500) + order("o-2", 50) + order("o-3", 700)
        atamo("run", "hub.yaml", text=orders)

    def test_trace_tells_the_path_of_a_message_after_the_hub_has_ended(self):
        self.fill()
        result = atamo("trace", "hub.yaml", "o-1", "--json")
        trace = json.loads(result.stdout)
        self.assertEqual(trace["state"], "dead")
        steps = [(step["step"], step.get("agent")) for step in trace["steps"]]
        self.assertEqual([step for step in steps if step[1] == "bad"],
                         [("attempt", "bad"), ("retry", "bad"), ("attempt", "bad"), ("dead", "bad"),
                          ("alert", "bad")])
        self.assertIn(("done", "out"), steps)
        self.assertEqual(steps[0], ("admitted", None))
        times = [step["t_us"] for step in trace["steps"]]
        self.assertEqual(times, sorted(times))
        self.assertEqual(json.loads(atamo("trace", "hub.yaml", trace["message"], "--json").stdout)
                         ["steps"], trace["steps"])
        text = atamo("trace", "hub.yaml", "o-2").stdout
        self.assertIn("finished", text.splitlines()[0])
        self.assertRegex(text, r"done +out show \(rule show\) attempt 1")

    def test_trace_says_that_there_is_no_such_message(self):
        self.fill()
        result = atamo("trace", "hub.yaml", "o-9")
        self.assertEqual(result.returncode, 3)
        self.assertIn("o-9: the journal has no message with this id", result.stderr)

    def test_trace_and_lists_work_while_the_hub_runs_and_after_it_was_killed(self):
        with Running("hub.yaml") as hub:
            hub.shows(order("o-1", 500).strip(), "show by show")
            hub.say(order("o-2", 500).strip())
            hub.line_of("show by show")
            while len(listed()) < 2:
                pass
            self.assertIn("o-1", atamo("trace", "hub.yaml", "o-1").stdout)
            refused = atamo("dead", "drop", "hub.yaml", "--all")
            self.assertEqual(refused.returncode, 6)
            self.assertIn("another hub has this store open", refused.stderr)
            os.kill(hub.process.pid, signal.SIGKILL)
        self.assertEqual(len(listed()), 2)
        self.assertIn("attempt 2", atamo("trace", "hub.yaml", "o-2").stdout)

    def test_dead_letters_are_found_by_what_they_are(self):
        self.fill()
        self.assertEqual([letter["event"] for letter in listed()], ["o-1", "o-3"])
        self.assertEqual(len(listed("--agent", "bad", "--type", "order.created")), 2)
        self.assertEqual(listed("--agent", "out"), [])
        self.assertEqual(len(listed("--since", "1h")), 2)
        wrong = atamo("dead", "list", "hub.yaml", "--since", "yesterday")
        self.assertEqual(wrong.returncode, 2)
        self.assertIn("expected a duration", wrong.stderr)

    def test_a_dead_letter_is_shown_with_its_event_and_its_steps(self):
        self.fill()
        letter = listed()[1]
        shown = json.loads(atamo("dead", "show", "hub.yaml", letter["id"], "--json").stdout)
        self.assertEqual(shown["letter"], letter)
        self.assertEqual(shown["event"]["data"], {"total": 700})
        self.assertIn("dead", [step["step"] for step in shown["steps"]])
        self.assertIn("o-3", atamo("dead", "show", "hub.yaml", letter["id"]).stdout)

    def test_replayed_ones_begin_anew_when_the_hub_starts(self):
        self.fill()
        self.assertEqual(atamo("dead", "replay", "hub.yaml").returncode, 2)
        self.assertEqual(atamo("dead", "replay", "hub.yaml", "7.7").returncode, 3)
        self.assertEqual(len(listed()), 2)
        dry = atamo("dead", "replay", "hub.yaml", "--all", "--dry-run", "--json")
        self.assertEqual(json.loads(dry.stdout), {"replayed": 2, "dry_run": True})
        self.assertEqual(len(listed()), 2)
        self.assertEqual(atamo("dead", "replay", "hub.yaml", listed()[0]["id"]).returncode, 0)
        configure(fails=0)
        summary = json.loads(atamo("run", "hub.yaml", "--json", text="").stdout.splitlines()[-1])
        self.assertEqual((summary["done"], summary["dead"]), (1, 1))
        self.assertEqual([letter["event"] for letter in listed()], ["o-3"])
        trace = json.loads(atamo("trace", "hub.yaml", "o-1", "--json").stdout)
        self.assertEqual(trace["state"], "finished")
        self.assertIn("replayed", [step["step"] for step in trace["steps"]])

    def test_dropped_ones_are_gone_with_their_events(self):
        self.fill()
        self.assertEqual(atamo("dead", "drop", "hub.yaml", listed()[0]["id"]).returncode, 0)
        self.assertEqual([letter["event"] for letter in listed()], ["o-3"])
        dropped = atamo("dead", "drop", "hub.yaml", "--rule", "large", "--json")
        self.assertEqual(json.loads(dropped.stdout), {"dropped": 1, "dry_run": False})
        summary = json.loads(atamo("run", "hub.yaml", "--json", text="").stdout.splitlines()[-1])
        self.assertEqual(summary["accepted"], 0)

    def test_each_action_has_one_end_in_the_journal_whatever_is_killed_when(self):
        ends = {"done", "dead", "shed", "cancelled", "expired"}
        names = []
        configure(fails=1)
        for life in range(8):
            with Running("hub.yaml") as hub:
                hub.shows(order(f"first-{life}", 500).strip(), "show by show")
                for number in range(30):
                    hub.say(order(f"o-{life}-{number}", 500).strip())
                    names.append(f"o-{life}-{number}")
                for _ in range(life * 4):
                    hub.line_of("show by show")
                os.kill(hub.process.pid, signal.SIGKILL)
        self.assertEqual(atamo("run", "hub.yaml", text="").returncode, 0)
        traced = 0
        for name in names:
            result = atamo("trace", "hub.yaml", name, "--json")
            if result.returncode == 3:
                continue  # it was never accepted
            trace = json.loads(result.stdout)
            traced += 1
            self.assertEqual(trace["state"], "finished", trace)
            for action in (1, 2):
                steps = [step["step"] for step in trace["steps"] if step.get("action") == action]
                self.assertEqual(len(ends.intersection(steps)), 1, trace)
                self.assertEqual(sum(step in ends for step in steps), 1, trace)
                self.assertIn(steps[-1], ends, trace)
        self.assertGreater(traced, 10)

    def test_a_backup_is_restored_where_the_store_is_gone(self):
        self.fill()
        copied = json.loads(atamo("backup", "hub.yaml", "copy.store", "--json").stdout)
        self.assertEqual(copied["bytes"], os.path.getsize("copy.store"))
        self.assertEqual(atamo("backup", "hub.yaml", "copy.store").returncode, 1)
        refused = atamo("restore", "hub.yaml", "copy.store")
        self.assertIn("hub.store is there already", refused.stderr)
        os.unlink("hub.store")
        self.assertEqual(atamo("restore", "hub.yaml", "copy.store").returncode, 0)
        self.assertEqual([letter["event"] for letter in listed()], ["o-1", "o-3"])
        self.assertIn("finished", atamo("trace", "hub.yaml", "o-2").stdout)

    def test_check_names_what_is_damaged_and_the_hub_starts_all_the_same(self):
        self.fill()
        self.assertIn("the store is good", atamo("check", "--store", "hub.yaml").stdout)
        path = pathlib.Path("hub.store")
        content = path.read_bytes()
        self.assertIn(b'{"total": 500}', content)
        path.write_bytes(content.replace(b'{"total": 500}', b'{"total": 900}'))
        result = atamo("check", "--store", "hub.yaml")
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stdout, r"damaged: event/")
        self.assertIn("all others can be read", result.stderr)
        damaged = json.loads(atamo("check", "--store", "hub.yaml", "--json").stdout)
        self.assertFalse(damaged["ok"])
        self.assertEqual([letter["event"] for letter in listed()], ["o-3"])
        said = atamo("run", "hub.yaml", text=order("o-4", 5))
        self.assertIn("damaged and were left alone", said.stderr)
        self.assertIn('show by show: {"total": 5}', said.stdout)

    def test_a_durable_hub_that_names_no_store_has_one_in_the_folder_where_it_runs(self):
        text = CONFIG.replace("FAILS", "9").replace(
            "store: {plugin: lmdb, config: {path: hub.store}}\n", "")
        pathlib.Path("plain.yaml").write_text(text, encoding="utf-8")
        atamo("run", "plain.yaml", text=order("o-1", 500))
        self.assertTrue(os.path.exists("atamo.store"))
        self.assertIn("o-1", atamo("dead", "list", "plain.yaml").stdout)

    def test_a_configuration_without_a_store_has_nothing_to_show(self):
        pathlib.Path("none.yaml").write_text("agents: {}\nrules: []\n", encoding="utf-8")
        result = atamo("dead", "list", "none.yaml")
        self.assertEqual(result.returncode, 6)
        self.assertIn("has no store", result.stderr)
        self.assertEqual(atamo("trace", "hub.yaml", "x").returncode, 3)
        self.assertFalse(os.path.exists("hub.store"))


if __name__ == "__main__":
    unittest.main()
