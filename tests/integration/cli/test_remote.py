"""What the commands print of a hub that they ask: traces, trees, dead letters, rules, agents."""

import json
import pathlib
import unittest

from mock_hub import Answer, MockHub, problem
from program import atamo

UUID = "01990000-0000-7000-8000-000000000001"
T_US = 1700000000000000
FAILED, USAGE, NOT_FOUND, DENIED, TIMEOUT, INVALID = 1, 2, 3, 4, 5, 6


def step(after, name, **more):
    return {"t_us": T_US + after, "step": name} | more


TRACE = {"id": "o-1", "message": UUID, "type": "order.created", "state": "dead", "steps": [
    step(0, "admitted", id="o-1"), step(10, "evaluated", rules=2, actions=2),
    step(20, "attempt", action=1, agent="out", type="show", rule="show", attempt=1),
    step(30, "done", action=1, agent="out", type="show", rule="show", attempt=1, outcome="done"),
    step(40, "attempt", action=2, agent="bad", type="review", rule="large", attempt=1),
    step(50, "retry", action=2, agent="bad", type="review", rule="large", attempt=1,
         outcome="retry", text="no answer", due_us=T_US + 1000050),
    step(60, "dead", action=2, agent="bad", type="review", rule="large", attempt=2, reason="gave up"),
    step(70, "emitted", type="order.lost", message=UUID),
]}
WHY = {"id": "o-1", "message": UUID, "state": "dead",
       "rules": [{"id": "vip", "matched": False, "reason": 'data.vip is absent, expected true'},
                 {"id": "show", "matched": True, "reason": "all clauses match"},
                 {"id": "large", "matched": True, "reason": ""},
                 {"id": "mail", "matched": False, "reason": 'type is "order.created", expected "m"'}],
       "actions": [{"ordinal": 1, "rule": "show", "agent": "out", "action": "show",
                    "state": "done", "attempt": 1},
                   {"ordinal": 2, "rule": "large", "agent": "bad", "action": "review",
                    "state": "dead", "attempt": 2, "reason": "gave up"}]}
TREE = """\
o-1  order.created  dead  2023-11-14 22:13:20.000000
├─ rule show matched: all clauses match
│  └─ out show  done
│      +0.000020 s  attempt     attempt 1
│      +0.000030 s  done        attempt 1
├─ rule large matched
│  └─ bad review  dead after 2 attempts: gave up
│      +0.000040 s  attempt     attempt 1
│      +0.000050 s  retry       attempt 1: no answer, due in 1.000 s
│      +0.000060 s  dead        attempt 2: gave up
├─ rule vip did not match: data.vip is absent, expected true
├─ emitted order.lost 01990000-0000-7000-8000-000000000001
└─ 1 rule is for other types of events
"""


def ask(routes, *words, text=None):
    """What a command prints and what it asked; words of it may need the hub's address last."""
    with MockHub(routes) as hub:
        return atamo(*words, "--url", hub.url, text=text), hub.asked


class Path(unittest.TestCase):
    def test_trace_without_a_configuration_asks_the_hub(self):
        result, asked = ask({"GET /v1/events/o/1 ?": Answer(TRACE)}, "trace", "o/1 ?")
        self.assertEqual(asked[0].raw_path, "/v1/events/o%2F1%20%3F")
        self.assertEqual(result.stdout.splitlines()[0], "o-1  order.created  dead")
        self.assertRegex(result.stdout.splitlines()[1], r" admitted +o-1$")
        self.assertIn("2023-11-14 22:13:20.000050 retry        bad review (rule large) attempt 1: "
                      "no answer, due in 1.000 s", result.stdout)
        result, _ = ask({"GET /v1/events/o-1": Answer(TRACE)}, "trace", "o-1", "--json")
        self.assertEqual(json.loads(result.stdout), TRACE)
        result, _ = ask({}, "trace", "o-2")
        self.assertEqual(result.returncode, NOT_FOUND)

    def test_why_is_a_tree_of_rules_actions_and_attempts(self):
        routes = {"GET /v1/events/o-1": Answer(TRACE), "GET /v1/events/o-1/why": Answer(WHY)}
        result, _ = ask(routes, "why", "o-1")
        self.assertEqual(result.stdout, TREE)
        result, _ = ask(routes, "why", "o-1", "--json")
        self.assertEqual(json.loads(result.stdout), WHY)
        result, _ = ask({}, "why", "o-2")
        self.assertEqual(result.returncode, NOT_FOUND)

    def test_a_step_that_is_only_a_name_ends_with_it(self):
        steps = [{"t_us": T_US, "step": "expired"}, {"t_us": T_US, "step": "expired", "text": "x"}]
        result, _ = ask({"GET /v1/events/o-1": Answer(TRACE | {"steps": steps})}, "trace", "o-1")
        self.assertEqual([line.partition(" expired")[2] for line in result.stdout.splitlines()[1:]],
                         ["", "    : x"])

    def test_an_action_for_somebody_else_says_for_whom(self):
        steps = [one | ({"user": "office"} if one.get("action") == 2 else {})
                 for one in TRACE["steps"]]
        routes = {"GET /v1/events/o-1": Answer(TRACE | {"steps": steps}),
                  "GET /v1/events/o-1/why": Answer(WHY)}
        result, _ = ask(routes, "why", "o-1")
        self.assertEqual(result.stdout, TREE.replace("bad review", "bad review as office"))
        result, _ = ask(routes, "trace", "o-1")
        self.assertIn("attempt      out show (rule show) attempt 1\n", result.stdout)
        self.assertIn("attempt      bad review as office (rule large) attempt 1\n", result.stdout)

    def test_an_event_that_no_rule_is_for_is_said_to_be_one(self):
        other = {"id": "parts", "matched": False, "reason": "type is \"order.created\""}
        steps = [TRACE["steps"][0], {"t_us": T_US, "step": "evaluated", "rules": 0, "actions": 0}]
        trace = Answer(TRACE | {"state": "finished", "steps": steps})
        why = WHY | {"state": "finished", "actions": []}
        for rules, last in (([], "└─ no rule is for this type of event\n"),
                            ([other], "├─ no rule is for this type of event\n"
                                      "└─ 1 rule is for other types of events\n")):
            result, _ = ask({"GET /v1/events/o-1": trace,
                             "GET /v1/events/o-1/why": Answer(why | {"rules": rules})}, "why", "o-1")
            self.assertEqual(result.stdout.partition("\n")[2], last)
        result, _ = ask({"GET /v1/events/o-1": trace}, "trace", "o-1")
        self.assertIn("evaluated    no rule matched\n", result.stdout)

    def test_a_rule_that_matched_and_failed_says_why(self):
        failed = {"t_us": T_US, "step": "rule-failed", "rule": "show",
                  "reason": "template field missing", "text": "data.total"}
        why = WHY | {"rules": WHY["rules"][1:2], "actions": []}
        result, _ = ask({"GET /v1/events/o-1": Answer(TRACE | {"steps": [failed]}),
                         "GET /v1/events/o-1/why": Answer(why)}, "why", "o-1")
        self.assertEqual(result.stdout.splitlines()[1:],
                         ["└─ rule show matched: all clauses match",
                          "   └─ failed: template field missing: data.total"])

    def test_a_rule_that_matched_and_made_nothing_says_so(self):
        for state, last in (("finished", ["   └─ no action"]), ("in flight", [])):
            why = WHY | {"state": state, "rules": WHY["rules"][1:2], "actions": []}
            result, _ = ask({"GET /v1/events/o-1": Answer(TRACE | {"steps": TRACE["steps"][:2]}),
                             "GET /v1/events/o-1/why": Answer(why)}, "why", "o-1")
            self.assertEqual(result.stdout.splitlines()[1:],
                             ["└─ rule show matched: all clauses match", *last])

    def test_why_shows_actions_of_rules_that_have_gone(self):
        routes = {"GET /v1/events/o-1": Answer(TRACE),
                  "GET /v1/events/o-1/why": Answer(WHY | {"rules": []})}
        result, _ = ask(routes, "why", "o-1")
        self.assertIn("├─ rule show -> out show  done\n", result.stdout)


def letter(number, died_us=T_US):
    return {"id": str(number), "message": UUID, "event": f"o-{number}", "type": "order.created",
            "rule": "large", "agent": "bad", "action": "review", "reason": "failed",
            "text": "no answer", "attempts": 3, "died_us": died_us}


LETTERS = "/v1/dead-letters"


class DeadLetters(unittest.TestCase):
    def pages(self, died_us=T_US):
        return [Answer({"dead_letters": [letter(1, died_us), letter(2, died_us)], "next": "2"}),
                Answer({"dead_letters": [letter(3, died_us)], "next": None})]

    def test_are_listed_page_by_page(self):
        result, asked = ask({f"GET {LETTERS}": self.pages()}, "dead", "list", "--agent", "bad",
                            "--type", "order.created", "--rule", "large")
        self.assertEqual(result.stdout.splitlines()[0],
                         "1          2023-11-14 22:13:20.000000  bad review (rule large) for "
                         "order.created o-1, 3 attempts: no answer")
        self.assertEqual(len(result.stdout.splitlines()), 3)
        self.assertEqual(asked[1].query, {"agent": "bad", "type": "order.created", "rule": "large",
                                          "limit": "100", "after": "2"})
        result, _ = ask({f"GET {LETTERS}": self.pages()}, "dead", "list", "--json")
        self.assertEqual([one["id"] for one in json.loads(result.stdout)], ["1", "2", "3"])

    def test_that_died_too_early_are_left_out(self):
        result, _ = ask({f"GET {LETTERS}": self.pages()}, "dead", "list", "--since", "1h")
        self.assertEqual((result.stdout, result.stderr), ("", "atamo: no dead letters\n"))

    def test_are_shown_with_the_steps_of_their_message(self):
        routes = {f"GET {LETTERS}/7": Answer(letter(7) | {"ordinal": 2}),
                  f"GET /v1/events/{UUID}": Answer(TRACE)}
        result, _ = ask(routes, "dead", "show", "7")
        self.assertIn("bad review", result.stdout)
        self.assertNotIn("out show", result.stdout)

    def test_are_replayed_by_the_hub_if_it_knows_the_filters(self):
        routes = {f"POST {LETTERS}:replay": Answer({"count": 12})}
        result, asked = ask(routes, "dead", "replay", "--agent", "bad", "--rate", "5", "--dry-run",
                            "--json")
        self.assertEqual(json.loads(result.stdout), {"replayed": 12, "dry_run": True})
        self.assertEqual(asked[0].query, {"agent": "bad", "rate": "5", "dry_run": "true"})
        result, asked = ask(routes, "dead", "replay", "--all")
        self.assertEqual(result.stdout, "12 replayed\n")
        self.assertEqual(asked[0].query, {})

    def test_are_replayed_one_by_one_by_id_or_age(self):
        routes = {f"GET {LETTERS}/7": Answer(letter(7)),
                  f"POST {LETTERS}/7:replay": Answer({}, 202)}
        result, asked = ask(routes, "dead", "replay", "7")
        self.assertEqual(result.stdout, "1 replayed\n")
        self.assertEqual([one.method for one in asked], ["GET", "POST"])
        routes = {f"GET {LETTERS}": self.pages(died_us=9000000000000000)} | \
            {f"POST {LETTERS}/{number}:replay": Answer({}, 202) for number in (1, 2, 3)}
        result, asked = ask(routes, "dead", "replay", "--since", "1h", "--rate", "100")
        self.assertEqual(result.stdout, "3 replayed\n")

    def test_are_dropped_one_by_one(self):
        routes = {f"GET {LETTERS}": self.pages()} | \
            {f"DELETE {LETTERS}/{number}": Answer(status=204) for number in (1, 2, 3)}
        result, asked = ask(routes, "dead", "drop", "--all", "--dry-run")
        self.assertEqual(result.stdout, "3 would be dropped\n")
        self.assertEqual({one.method for one in asked}, {"GET"})
        result, asked = ask({name: routes[name] for name in routes} |
                            {f"GET {LETTERS}": self.pages()}, "dead", "drop", "--all", "--json")
        self.assertEqual(json.loads(result.stdout), {"dropped": 3, "dry_run": False})
        self.assertEqual(sum(one.method == "DELETE" for one in asked), 3)

    def test_stay_as_they_are_if_one_of_them_is_not_there(self):
        result, asked = ask({f"GET {LETTERS}/7": Answer(letter(7))}, "dead", "drop", "7", "8")
        self.assertEqual(result.returncode, NOT_FOUND)
        self.assertEqual({one.method for one in asked}, {"GET"})

    def test_are_all_of_them_only_if_somebody_says_so(self):
        for command in ("replay", "drop"):
            result, asked = ask({}, "dead", command)
            self.assertEqual(result.returncode, USAGE)
            self.assertIn("say --all", result.stderr)
            self.assertEqual(asked, [])


RULE = {"id": "big", "on": ["order.*", "cart.*"], "provider": "", "file": "a.yaml", "line": 3,
        "editable": False, "hits": 1, "last_match_us": T_US}
SOURCE = "id: big\non: order.created\nthen: {agent: out, action: show}\n"


class Rules(unittest.TestCase):
    def put(self, answer, text=SOURCE, *words):
        pathlib.Path("rule.yaml").write_text(text, encoding="utf-8")
        return ask({"PUT /v1/rules/big": answer}, "rules", "put", "rule.yaml", *words)

    def test_of_a_hub_are_listed(self):
        routes = {"GET /v1/rules": Answer({"generation": 3, "rules": [RULE]})}
        result, _ = ask(routes, "rules", "list")
        self.assertRegex(result.stdout, r"^big +order\.\*, cart\.\*  1 hit  a\.yaml:3\n$")
        result, _ = ask(routes, "rules", "list", "--json")
        self.assertEqual(json.loads(result.stdout), [RULE])

    def test_are_tried_on_an_event_by_the_hub(self):
        body = {"event": {"type": "a.b"}, "rules": [{"id": "big", "matched": True, "reason": "all"},
                                                    {"id": "vip", "matched": False, "reason": "no"}],
                "actions": [{"rule": "big", "agent": "out", "action": "show", "as": "user",
                             "body": {"n": 1}}]}
        routes = {"POST /v1/rules:test": Answer(body)}
        result, asked = ask(routes, "rules", "test", "--event", "-", text='{"type":"a.b"}')
        self.assertEqual(asked[0].json, {"event": {"type": "a.b"}})
        self.assertEqual(result.stdout, 'yes   big: all\nno    vip: no\n'
                                        '-> out show as user, from big: {"n": 1}\n')
        result, asked = ask(routes, "rules", "test", "--event", "-", text="{")
        self.assertEqual(result.returncode, INVALID)
        self.assertEqual(asked, [])

    def test_are_shown_as_they_were_written(self):
        routes = {"GET /v1/rules/big": Answer(RULE | {"source": SOURCE})}
        result, _ = ask(routes, "rules", "show", "big")
        self.assertEqual(result.stdout, SOURCE)

    def test_are_put_from_a_file(self):
        result, asked = self.put(Answer(RULE, 201), SOURCE, "--why", "larger orders")
        self.assertEqual(result.stdout, "big is new\n")
        self.assertEqual(asked[0].body.decode(), SOURCE)
        self.assertEqual(asked[0].query, {"why": "larger orders"})
        self.assertEqual(asked[0].headers["Content-Type"], "application/yaml")
        self.assertEqual(self.put(Answer(RULE))[0].stdout, "big was replaced\n")
        result, _ = ask({"PUT /v1/rules/big": Answer(RULE)}, "rules", "put", "-", text=SOURCE)
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_with_mistakes_are_shown_with_line_and_column(self):
        mistake = {"line": 3, "column": 8, "text": 'there is no agent "out"'}
        result, _ = self.put(problem(422, "the rule has mistakes", errors=[mistake]))
        self.assertEqual(result.returncode, INVALID)
        self.assertIn('rule.yaml:3:8: error: there is no agent "out"', result.stderr)
        self.assertIn("     3 | then: {agent: out, action: show}", result.stderr)
        for text in ("id: [\n", "- id: big\n", "on: x\n", ""):
            result, asked = self.put(Answer(RULE), text)
            self.assertEqual(result.returncode, INVALID)
            self.assertIn("rule.yaml:", result.stderr)
            self.assertEqual(asked, [])

    def test_written_in_a_file_of_the_configuration_are_refused(self):
        result, _ = self.put(problem(409, "rule \"big\" is written in a.yaml", "Conflict"))
        self.assertEqual(result.returncode, FAILED)
        self.assertIn('Conflict: rule "big" is written in a.yaml', result.stderr)

    def test_are_taken_away_and_become_what_they_were(self):
        result, _ = ask({"DELETE /v1/rules/big": Answer(status=204)}, "rules", "rm", "big")
        self.assertEqual(result.stdout, "big was taken away\n")
        routes = {"POST /v1/rules/big:rollback": Answer(RULE)}
        result, asked = ask(routes, "rules", "rollback", "big", "2")
        self.assertEqual(result.stdout, "big is what it was\n")
        self.assertEqual(asked[0].query, {"version": "2"})
        self.assertEqual(ask(routes, "rules", "rollback", "big", "two")[0].returncode, USAGE)

    def test_have_a_history(self):
        versions = [{"version": 1, "t_us": T_US, "user": "ann", "why": "first", "source": SOURCE},
                    {"version": 2, "t_us": T_US, "user": "bob", "why": "", "deleted": True}]
        routes = {"GET /v1/rules/big/versions": Answer({"versions": versions})}
        result, _ = ask(routes, "rules", "history", "big")
        self.assertEqual(result.stdout,
                         "   1  2023-11-14 22:13:20.000000  ann         first\n"
                         "   2  2023-11-14 22:13:20.000000  bob         taken away  \n")


def agent(name, **more):
    return {"id": name, "plugin": "log", "mode": "inline", "state": "running", "breaker": "closed",
            "queued": 1, "parked": 0, "running": 1, "concurrency": 4, "done": 1234567, "retries": 0,
            "dead": 0, "shed": 0, "attempts": 9,
            "latency": {"count": 9, "sum_us": 9, "p50_us": 64, "p90_us": 99, "p99_us": 1200}} | more


class Agents(unittest.TestCase):
    def test_are_a_table(self):
        routes = {"GET /v1/agents": Answer({"agents": [agent("out"), agent("bad", breaker="open")]})}
        for words in (["agents"], ["agents", "list"]):
            result, _ = ask(routes, *words)
            head, first, second = result.stdout.splitlines()
            self.assertEqual(head.split()[:4], ["AGENT", "PLUGIN", "STATE", "BREAKER"])
            self.assertRegex(first, r"^out +log +running +closed +1 +0 +1 +1235k +0 +0 +0 +64 us "
                                    r"+1\.2 ms$")
            self.assertIn(" open ", second)
            self.assertNotIn("CACHE", head)
        result, _ = ask(routes, "agents", "--json")
        self.assertEqual(json.loads(result.stdout)["agents"][0]["id"], "out")

    def test_whose_caches_are_used_tell_how_much_that_saves(self):
        cache = {"hits": 60, "stale": 0, "joins": 15, "misses": 25}
        routes = {"GET /v1/agents": Answer({"agents": [agent("out", cache=cache), agent("bad")]})}
        head, first, second = ask(routes, "agents")[0].stdout.splitlines()
        self.assertTrue(head.endswith("P99   CACHE"), head)
        self.assertTrue(first.endswith("1.2 ms    75 %"), first)
        self.assertTrue(second.endswith("1.2 ms       -"), second)
        self.assertEqual({len(line) for line in (head, first, second)}, {len(head)})

    def test_are_paused_resumed_and_drained(self):
        routes = {f"POST /v1/agents/out:{verb}": Answer(agent("out", state=state))
                  for verb, state in (("pause", "paused"), ("resume", "running"))}
        routes["POST /v1/agents/out:drain"] = problem(504, "3 actions still run")
        result, asked = ask(routes, "agents", "pause", "out")
        self.assertIn("paused", result.stdout)
        self.assertEqual(asked[0].body, b"")
        self.assertIn("running", ask(routes, "agents", "resume", "out")[0].stdout)
        result, asked = ask(routes, "agents", "drain", "out", "--wait", "2s")
        self.assertEqual(result.returncode, TIMEOUT)
        self.assertEqual(asked[0].query, {"wait": "2s"})
        self.assertEqual(ask(routes, "agents", "pause", "none")[0].returncode, NOT_FOUND)
        self.assertIn('did you mean "agents pause"?', atamo("agents", "puase", "out").stderr)


if __name__ == "__main__":
    unittest.main()
