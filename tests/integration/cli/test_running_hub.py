"""The client commands against a hub that runs: emit, look at what became of it, change what runs."""

import json
import os
import pathlib
import shutil
import unittest

from program import SOURCES, Running, atamo

CONFIG = """
hub: {mode: durable}
store: {plugin: lmdb, config: {path: hub.store}}
agents:
  out: {plugin: log, config: {to: stdout}}
  bad: {plugin: flaky, config: {fail_first: 9, retry_after: 1ms},
        retry: {attempts: 2, base: 1ms, max: 2ms}}
  echo: {plugin: exec, config: {command: [python3, ECHO]}}
ACCESS
event_providers:
  api: {plugin: http, config: {listen: "unix:hub.sock"}}
rules_folder: hub.rules
rules:
  - {id: parts, on: ask, then: {agent: echo, action: parts}}
  - {id: show, on: "order.*", then: {agent: out, action: show}}
  - {id: large, on: order.created, when: {data: {total: [{numeric: [">=", 100]}]}},
     then: {agent: bad, action: review}}
"""
ECHO = SOURCES / "tests" / "clients" / "python" / "echo.py"
RULE = """\
# the largest
id: big
on: order.created
then: {agent: out, action: show}
"""
URL = f"unix:{os.path.abspath('hub.sock')}"
FAILED, NOT_FOUND, DENIED, INVALID = 1, 3, 4, 6


def ask(*words, text=None):
    return atamo(*words, "--url", URL, text=text)


def asked(*words):
    return json.loads(ask(*words, "--json").stdout)


class RunningHub(unittest.TestCase):
    def setUp(self):
        shutil.rmtree("hub.rules", ignore_errors=True)
        for path in pathlib.Path(".").glob("hub.*"):
            path.unlink()
        self.configure("")

    def configure(self, access):
        text = CONFIG.replace("ACCESS", access).replace("ECHO", str(ECHO))
        pathlib.Path("hub.yaml").write_text(text, encoding="utf-8")

    def running(self):
        hub = Running("hub.yaml")
        self.addCleanup(hub.__exit__)
        hub.line_of("listening on")
        return hub

    def test_takes_an_event_and_tells_what_became_of_it_and_why(self):
        self.running()
        result = ask("emit", "order.created", '{"total": 250}', "--id", "o-1", "--wait", "10s")
        self.assertEqual(result.returncode, FAILED)
        self.assertRegex(result.stdout, r"dead +bad review \(rule large\) attempt 2")
        result = ask("emit", "order.created", '{"total": 50}', "--id", "o-2", "--wait", "10s")
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertIn("o-2 was accepted before", ask("emit", "order.created", "--id", "o-2").stdout)
        self.assertIn("rule large did not match: data.total is 50", ask("why", "o-2").stdout)
        self.assertIn("bad review  dead after 2 attempts", ask("why", "o-1").stdout)
        self.assertEqual(asked("trace", "o-1")["type"], "order.created")
        self.assertIn("retry", [step["step"] for step in asked("trace", "o-1")["steps"]])
        self.assertEqual(ask("trace", "o-3").returncode, NOT_FOUND)

    def test_shows_and_changes_its_dead_letters(self):
        self.running()
        for name in ("o-1", "o-2", "o-3"):
            ask("emit", "order.created", '{"total": 250}', "--id", name, "--wait", "10s")
        letters = asked("dead", "list", "--agent", "bad")
        self.assertEqual([letter["event"] for letter in letters], ["o-1", "o-2", "o-3"])
        self.assertIn("attempt 2", ask("dead", "show", letters[0]["id"]).stdout)
        self.assertEqual(asked("dead", "replay", "--all", "--dry-run")["replayed"], 3)
        self.assertEqual(asked("dead", "drop", letters[0]["id"])["dropped"], 1)
        self.assertEqual(asked("dead", "drop", "--rule", "large")["dropped"], 2)
        self.assertEqual(asked("dead", "list"), [])

    def test_takes_a_file_of_events(self):
        self.running()
        events = "".join(json.dumps({"specversion": "1.0", "type": "order.paid", "id": str(number),
                                     "source": "/shop"}) + "\n" for number in range(2000))
        result = ask("emit", "--file", "-", "--json", text=events)
        self.assertEqual(json.loads(result.stdout),
                         {"accepted": 2000, "duplicates": 0, "refused": 0})
        self.assertEqual(asked("stats")["accepted"], 2000)

    def test_is_seen_at_work(self):
        self.running()
        ask("emit", "order.paid", "--wait", "10s")
        agents = {agent["id"]: agent for agent in asked("agents")["agents"]}
        self.assertEqual(agents["out"]["done"], 1)
        top = asked("top")
        self.assertEqual(top["stats"]["accepted"], 1)
        self.assertEqual({agent["id"] for agent in top["agents"]}, {"out", "bad", "echo"})
        self.assertIn("show ", ask("rules", "list").stdout)

    def test_pauses_resumes_and_drains_an_agent(self):
        self.running()
        self.assertEqual(asked("agents", "pause", "out")["state"], "paused")
        self.assertEqual(asked("agents", "resume", "out")["state"], "running")
        self.assertEqual(asked("agents", "drain", "out")["state"], "paused")
        self.assertEqual(ask("agents", "drain", "none").returncode, NOT_FOUND)

    def test_answers_a_request_bit_by_bit(self):
        self.running()
        for way in ([], ["--stream"]):
            result = ask("request", "ask", "--timeout", "30s", *way)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertEqual([json.loads(line) for line in result.stdout.splitlines()],
                             [{"part": 1}, {"part": 2}])
            self.assertEqual(result.stderr, "echo  50 % half\n")

    def test_takes_rules_shows_them_and_what_they_were(self):
        self.running()
        self.assertEqual(ask("rules", "put", "-", "--why", "first", text=RULE).stdout, "big is new\n")
        self.assertEqual(ask("rules", "show", "big").stdout, RULE)
        wrong = ask("rules", "put", "-", text=RULE.replace("out", "uot"))
        self.assertEqual(wrong.returncode, INVALID)
        self.assertIn('-:4:15: error: unknown agent "uot"; did you mean "out"?', wrong.stderr)
        self.assertEqual(ask("rules", "put", "-", text=RULE.replace("out", "bad")).stdout,
                         "big was replaced\n")
        self.assertEqual([one["why"] for one in asked("rules", "history", "big")["versions"]],
                         ["first", ""])
        self.assertEqual(ask("rules", "rollback", "big", "1").returncode, 0)
        self.assertEqual(ask("rules", "show", "big").stdout, RULE)
        tried = ask("rules", "test", "--event", "-", text='{"type": "order.created"}')
        self.assertIn("-> out show, from big", tried.stdout)
        self.assertEqual(ask("rules", "rm", "big").stdout, "big was taken away\n")
        self.assertEqual(ask("rules", "show", "big").returncode, NOT_FOUND)
        other = RULE.replace("big", "show")
        self.assertEqual(ask("rules", "put", "-", text=other).returncode, FAILED)

    def test_asks_who_comes(self):
        self.configure("users: {ann: {}}\naccess: {tokens: hub.tokens}\n")
        made = atamo("token", "new", "hub.yaml", "ann", "--scope", "events:write")
        self.assertEqual(made.returncode, 0, made.stderr)
        pathlib.Path("hub.token").write_text(made.stdout.splitlines()[-1], encoding="utf-8")
        self.running()
        self.assertEqual(ask("emit", "order.paid").returncode, DENIED)
        self.assertEqual(ask("emit", "order.paid", "--token", "@hub.token").returncode, 0)
        refused = ask("stats", "--token", "@hub.token")
        self.assertEqual(refused.returncode, DENIED)
        self.assertIn("telemetry:read", refused.stderr)


if __name__ == "__main__":
    unittest.main()
