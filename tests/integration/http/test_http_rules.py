"""Rules over HTTP: shown, tried, changed while the hub runs, and rolled back."""

import json
import os
import pathlib
import threading
import unittest

from service import serve

CONFIG = """
agents:
  out: {plugin: log}
  other: {plugin: log}
event_providers: {api: HTTP}
rules_folder: rules.d
rules:
  - id: written
    on: [order.*, invoice.paid]
    then: {agent: out, action: show}
"""
RULE = """# who is told
id: big
on: order.*
when: {data: {total: [{numeric: [">=", 100]}]}}
then:
  - {agent: out, action: tell, with: {total: "${data.total}"}}
"""
FOLDER = pathlib.Path("rules.d")


class Rules(unittest.TestCase):
    def setUp(self):
        for path in sorted(FOLDER.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        self.context = serve(CONFIG)
        self.service = self.context.__enter__()
        self.addCleanup(self.context.__exit__, None, None, None)

    def put(self, text=RULE, name="big", query="", **headers):
        return self.service.call("PUT", f"/v1/rules/{name}{query}", text,
                                 {name.replace("_", "-"): value for name, value in headers.items()})

    def rules_of(self, total):
        """Which rules act on an order over this?"""
        answer = self.service.event("order.made", {"total": total}, "?wait=5s")
        return sorted(action["rule"] for action in answer.json()["actions"])

    def refused(self, answer, status, words):
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(answer.headers["content-type"], "application/problem+json")
        self.assertIn(words, answer.json()["detail"])

    # --- what there is

    def test_the_list_tells_what_each_is_for_where_it_stands_and_how_often_it_matched(self):
        self.rules_of(5)
        rule, = self.service.get("/v1/rules").json()["rules"]
        lines = pathlib.Path("atamo.yaml").read_text().split("\n")
        self.assertEqual((rule["id"], rule["on"], rule["line"], rule["editable"], rule["hits"]),
                         ("written", ["order.*", "invoice.paid"], lines.index("  - id: written") + 1,
                          False, 1))
        self.assertTrue(rule["file"].endswith("atamo.yaml"))
        self.assertGreater(rule["last_match_us"], 0)

    def test_a_rule_is_shown_as_it_is_written(self):
        shown = self.service.get("/v1/rules/written").json()
        self.assertEqual(shown["source"], "id: written\non: [order.*, invoice.paid]\n"
                         "then: {agent: out, action: show}\n")
        self.put()
        self.assertEqual(self.service.get("/v1/rules/big").json()["source"], RULE)
        self.refused(self.service.get("/v1/rules/nothing"), 404, "nothing")

    # --- changing

    def test_a_rule_that_is_put_holds_at_once_and_over_a_reload_and_a_restart(self):
        self.assertEqual(self.rules_of(500), ["written"])
        answer = self.put()
        self.assertEqual((answer.status, answer.headers["etag"]), (201, '"1"'))
        self.assertEqual(self.rules_of(500), ["big", "written"])
        self.assertEqual(self.rules_of(50), ["written"])
        self.service.hub.reload()
        self.assertEqual(self.rules_of(500), ["big", "written"])
        self.service.hub.stop()
        with serve(CONFIG) as again:
            self.service = again
            self.assertEqual(self.rules_of(500), ["big", "written"])

    def test_json_is_a_rule_too(self):
        rule = {"id": "big", "on": "order.*", "then": [{"agent": "other", "action": "show"}]}
        self.assertEqual(self.put(json.dumps(rule)).status, 201)
        self.assertEqual(self.rules_of(1), ["big", "written"])

    def test_a_rule_that_is_wrong_changes_nothing_and_every_mistake_has_its_place(self):
        self.put()
        wrong = RULE.replace("agent: out", "agent: owt").replace("numeric", "numerical")
        answer = self.put(wrong)
        self.refused(answer, 422, "numerical")
        self.assertEqual({error["line"] for error in answer.json()["errors"]}, {4, 6})
        self.refused(self.put("id: big\non: ["), 422, "")
        self.refused(self.put(RULE.replace("id: big", "id: small")), 422, "another id")
        self.refused(self.put("", name="empty"), 400, "body")
        self.assertEqual(self.service.get("/v1/rules/big").json()["source"], RULE)
        self.assertEqual(self.rules_of(500), ["big", "written"])

    def test_a_rule_of_a_file_that_people_write_is_changed_there_and_nowhere_else(self):
        before = pathlib.Path("atamo.yaml").read_text()
        self.refused(self.put(RULE.replace("id: big", "id: written"), "written"), 409, "file")
        self.refused(self.service.call("DELETE", "/v1/rules/written"), 409, "file")
        self.assertEqual(pathlib.Path("atamo.yaml").read_text(), before)

    def test_a_name_cannot_leave_the_folder(self):
        for name in ("..%2fescaped", "%2e%2e", ".hidden", "a%2fb", "a%20b"):
            self.assertIn(self.put(RULE, name).status, (400, 404, 422), name)
        self.assertEqual(list(pathlib.Path(".").rglob("escaped*")), [])

    def test_only_who_knows_the_latest_version_changes_it(self):
        self.put(If_None_Match="*")
        self.refused(self.put(If_None_Match="*"), 412, "somebody else")
        self.assertEqual(self.put(If_Match='"1"').headers["etag"], '"2"')
        self.refused(self.put(If_Match='"1"'), 412, "somebody else")
        self.refused(self.service.call("DELETE", "/v1/rules/big", headers={"If-Match": '"1"'}), 412,
                     "somebody else")
        self.assertEqual(self.service.get("/v1/rules/big").headers["etag"], '"2"')

    def test_a_deleted_rule_is_gone_and_can_be_made_again_from_its_history(self):
        self.put()
        self.assertEqual(self.service.call("DELETE", "/v1/rules/big?why=enough").status, 204)
        self.assertEqual(self.rules_of(500), ["written"])
        self.refused(self.service.call("DELETE", "/v1/rules/big"), 404, "no such rule")
        self.assertEqual(self.service.post("/v1/rules/big:rollback?version=1").status, 200)
        self.assertEqual(self.rules_of(500), ["big", "written"])

    def test_the_history_tells_what_it_was_when_and_why(self):
        second = RULE.replace("100", "200")
        self.put(query="?why=sales%20asked")
        self.put(second, query="?why=too%20many")
        self.service.post("/v1/rules/big:rollback?version=1")
        versions = self.service.get("/v1/rules/big/versions").json()["versions"]
        self.assertEqual([(v["version"], v["why"], v["source"]) for v in versions],
                         [(1, "sales asked", RULE), (2, "too many", second),
                          (3, "back to version 1", RULE)])
        self.assertEqual(sorted(v["t_us"] for v in versions), [v["t_us"] for v in versions])
        self.refused(self.service.post("/v1/rules/big:rollback?version=9"), 404, "no such rule")
        self.refused(self.service.post("/v1/rules/big:rollback"), 400, "version")

    def test_what_people_have_put_into_the_folder_is_its_first_version(self):
        FOLDER.mkdir(exist_ok=True)
        (FOLDER / "big.yaml").write_text(RULE)
        self.service.hub.reload()
        self.assertEqual(self.rules_of(500), ["big", "written"])
        self.put(RULE.replace("100", "300"))
        versions = self.service.get("/v1/rules/big/versions").json()["versions"]
        self.assertEqual([v["source"] for v in versions], [RULE, RULE.replace("100", "300")])

    def test_counters_go_on_when_another_rule_changes(self):
        self.rules_of(1)
        self.put()
        self.rules_of(1)
        hits = {rule["id"]: rule["hits"] for rule in self.service.get("/v1/rules").json()["rules"]}
        self.assertEqual(hits, {"written": 2, "big": 0})

    def test_a_change_waits_for_a_reload_if_files_have_changed_in_other_ways(self):
        path = pathlib.Path("atamo.yaml")
        path.write_text(path.read_text().replace("other: {plugin: log}",
                                                 "other: {plugin: log}\n  third: {plugin: log}"))
        self.refused(self.put(), 412, "configuration's files")
        self.assertFalse((FOLDER / "big.yaml").exists())
        self.service.hub.reload()
        self.assertEqual(self.put().status, 201)

    def test_a_folder_that_cannot_be_written_changes_nothing(self):
        if os.geteuid() == 0:
            FOLDER.write_text("") if not FOLDER.exists() else self.skipTest("root writes anywhere")
        else:
            FOLDER.mkdir(exist_ok=True)
            FOLDER.chmod(0o500)
        try:
            self.assertEqual(self.put().status, 503)
            self.assertEqual(self.rules_of(500), ["written"])
        finally:
            FOLDER.unlink() if FOLDER.is_file() else FOLDER.chmod(0o700)

    def test_events_flow_while_rules_change(self):
        stop = threading.Event()
        answers = []

        def flow():
            while not stop.is_set():
                answers.append(self.service.event("order.made", {"total": 500}, "?wait=5s").json())

        thread = threading.Thread(target=flow)
        thread.start()
        for number in range(20):
            self.put(RULE.replace("100", str(100 + number)))
        stop.set()
        thread.join()
        self.assertGreater(len(answers), 0)
        for answer in answers:
            self.assertEqual(answer["state"], "done", answer)
        self.assertEqual(len(self.service.get("/v1/rules/big/versions").json()["versions"]), 20)

    # --- trying

    def try_out(self, event, rules=None):
        body = {"event": event} | ({} if rules is None else {"rules": rules})
        return self.service.post("/v1/rules:test", body)

    def test_a_try_tells_what_would_happen_and_nothing_fires(self):
        self.put()
        event = {"type": "order.made", "data": {"total": 120}}
        told = self.try_out(event).json()
        self.assertEqual({rule["id"]: rule["matched"] for rule in told["rules"]},
                         {"written": True, "big": True})
        self.assertIn({"rule": "big", "agent": "out", "action": "tell", "as": None,
                       "body": {"total": 120}}, told["actions"])
        self.assertEqual(self.service.stats()["accepted"], 0)

    def test_other_rules_can_be_tried_than_those_that_run(self):
        rules = "- {id: mine, on: a, when: {data: {x: [1]}}, then: {agent: other, action: do}}\n"
        told = self.try_out({"type": "a", "data": {"x": 2}}, rules).json()
        self.assertEqual([(rule["id"], rule["matched"]) for rule in told["rules"]],
                         [("mine", False)])
        self.assertIn("data.x", told["rules"][0]["reason"])
        answer = self.try_out({"type": "a"}, rules.replace("other", "nobody"))
        self.refused(answer, 422, "nobody")
        self.assertEqual(answer.json()["errors"][0]["line"], 1)

    def test_a_try_of_nothing_is_refused(self):
        self.refused(self.service.post("/v1/rules:test", "{"), 400, "expected")
        self.refused(self.service.post("/v1/rules:test", {"event": 3}), 400, "expected")
        self.refused(self.try_out({"data": 1}), 422, "event")


class Without(unittest.TestCase):
    def test_without_a_folder_rules_cannot_be_changed_and_it_says_why(self):
        with serve(CONFIG.replace("rules_folder: rules.d\n", "")) as service:
            answer = service.call("PUT", "/v1/rules/big", RULE)
            self.assertEqual(answer.status, 501)
            self.assertIn("rules_folder", answer.json()["detail"])


unittest.main()
