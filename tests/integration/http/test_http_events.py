"""POST /v1/events as clients meet it: every mode of CloudEvents, what is refused, what is promised."""

import base64
import json
import re
import signal
import unittest
import urllib.parse

from program import Running
from service import await_service, serve

MEMORY = """
agents:
  out: {plugin: log}
  worker: {plugin: exec, config: {WORKER}}
  bad: {plugin: flaky, config: {outcome: fail}}
event_providers: {api: HTTP}
events:
  order.created: {required: [subject, data.total: number]}
  "*": accept
rules:
  - {id: show, on: [order.*, shown], then: {agent: out, action: show}}
  - {id: work, on: work, then: {agent: worker, action: work}}
  - id: whole
    on: whole
    then: {agent: worker, action: whole, with: {subject: "${subject}", ext: "${shopid}"}}
  - {id: bad, on: bad, then: {agent: bad, action: spoil}}
  - {id: anna, on: hers, then: {agent: out, action: show, as: anna}}
"""
DURABLE = """
hub: {mode: durable}
store: {plugin: lmdb, config: {path: here.store}}
agents: {out: {plugin: log}, worker: {plugin: exec, config: {WORKER}}}
event_providers: {api: HTTP}
rules:
  - {id: show, on: shown, then: {agent: out, action: show}}
  - {id: hold, on: held, then: {agent: worker, action: keep, with: {hold: "${id}"}}}
"""
CLOUDEVENT = {"Content-Type": "application/cloudevents+json"}
BATCH = {"Content-Type": "application/cloudevents-batch+json"}
UUID = r"\A[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z"


class InMemory(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.context = serve(MEMORY, options=", max_body: 64KiB")
        cls.service = cls.context.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.context.__exit__(None, None, None)

    def taken(self, answer):
        self.assertEqual(answer.status, 202, answer)
        self.assertEqual(answer.headers["content-type"], "application/json")
        return answer.json()

    def refused(self, answer, status, words):
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(answer.headers["content-type"], "application/problem+json")
        problem = answer.json()
        self.assertEqual((problem["type"], problem["status"]), ("about:blank", status))
        self.assertIn(words, problem["detail"])
        return problem

    def answers(self, kind, data, headers=(), body=None):
        """What the worker answers to an event, through a request that waits."""
        headers = {"ce-type": kind, "Content-Type": "application/json", **dict(headers)}
        body = json.dumps(data) if body is None else body
        asked = self.service.post("/v1/requests", body, headers)
        self.assertEqual(asked.status, 202, asked)
        url = asked.json()["status_url"]
        self.service.when(lambda: self.service.get(url).json()["state"] != "open")
        answer = self.service.get(url).json()
        self.assertEqual(answer["state"], "done", answer)
        return answer["responses"][-1]["data"]["echo"]

    def test_a_binary_event_is_taken_and_its_location_tells_its_path(self):
        answer = self.service.post("/v1/events", {"total": 1}, {"ce-type": "shown", "ce-id": "b-1",
                                                                "ce-source": "/shop",
                                                                "ce-specversion": "1.0"})
        receipt = self.taken(answer)
        self.assertEqual(receipt["id"], "b-1")
        self.assertRegex(receipt["message"], UUID)
        self.assertEqual((receipt["durability"], receipt["duplicate"]), ("memory", False))
        self.assertEqual(receipt["status_url"], "/v1/events/" + receipt["message"])
        self.assertEqual(answer.headers["location"], receipt["status_url"])
        path = self.service.path_of(receipt["message"])
        self.assertEqual((path["id"], path["type"]), ("b-1", "shown"))

    def test_a_binary_event_needs_no_more_than_a_type(self):
        receipt = self.taken(self.service.post("/v1/events", "", {"ce-type": "shown"}))
        self.assertRegex(receipt["message"], UUID)
        self.assertEqual(receipt["id"], receipt["message"])

    def test_a_structured_event_is_taken(self):
        receipt = self.taken(self.service.event("shown", {"n": 1}, id="s-1", source="/shop"))
        self.assertEqual(receipt["id"], "s-1")
        answer = self.service.post("/v1/events", json.dumps({"specversion": "1.0", "type": "shown"}),
                                   {"Content-Type":
                                    "Application/CloudEvents+JSON ; charset=utf-8"})
        self.taken(answer)

    def test_a_batch_is_taken_and_each_event_has_its_receipt(self):
        events = [{"specversion": "1.0", "type": "shown", "id": f"batch-{n}"} for n in range(500)]
        answer = self.service.post("/v1/events", json.dumps(events), BATCH)
        receipts = self.taken(answer)["events"]
        self.assertEqual([receipt["id"] for receipt in receipts],
                         [event["id"] for event in events])
        self.assertEqual(len({receipt["message"] for receipt in receipts}), 500)
        self.assertNotIn("location", answer.headers)
        self.assertEqual(self.taken(self.service.post("/v1/events", "[]", BATCH)), {"events": []})

    def test_attributes_in_headers_are_percent_encoded(self):
        subject = 'a "quoted" Ünïcode \\ 100 % \U0001f600'
        encoded = urllib.parse.quote(subject, safe="")
        lower = re.sub("%..", lambda digits: digits[0].lower(), encoded)
        for text in (encoded, lower, subject.replace("%", "%25").encode()):
            with self.subTest(text):
                seen = self.answers("whole", {}, {"ce-subject": text, "CE-ShopId": "%41%2fb"})
                self.assertEqual((seen["subject"], seen["ext"]), (subject, "A/b"))

    def test_attributes_in_double_quotes_stand_for_what_is_in_them(self):
        for quoted, wanted in (('"a \\"b\\" \\\\ %41"', 'a "b" \\ A'), ('""', ""), ('"a', '"a'),
                               ('a "b"', 'a "b"'), ('"\\"', "\\"), ('%22a%22', '"a"')):
            with self.subTest(quoted):
                seen = self.answers("whole", {}, {"ce-subject": "x", "ce-shopid": quoted})
                self.assertEqual(seen["ext"] or "", wanted)

    def test_blanks_around_an_attribute_are_no_part_of_it(self):
        seen = self.answers("whole", {}, {"ce-subject": "  a  b \t ", "ce-shopid": "%20x%20"})
        self.assertEqual((seen["subject"], seen["ext"]), ("a  b", " x "))

    def test_data_of_all_kinds_reaches_the_agent_as_it_was(self):
        self.assertEqual(self.answers("work", {"a": [1, None, "ü"]}), {"a": [1, None, "ü"]})
        self.assertEqual(self.answers("work", None, {"Content-Type": "application/vnd.x+json"},
                                      "[1.50]"), [1.5])
        structured = {"specversion": "1.0", "type": "whole", "subject": "s", "shopid": "x",
                      "data_base64": base64.b64encode(b"\x00\xff").decode()}
        receipt = self.taken(self.service.post("/v1/events", json.dumps(structured), CLOUDEVENT))
        self.assertIn(self.service.path_of(receipt["message"])["state"], ("finished", "dead"))

    def test_bytes_that_are_no_text_are_taken_in_every_way(self):
        for kind in ("image/png", "application/octet-stream"):
            self.taken(self.service.post("/v1/events", b"\x00\xff\x80", {"ce-type": "shown",
                                                                         "Content-Type": kind}))
        event = {"specversion": "1.0", "type": "shown", "data_base64": "AP+A"}
        self.taken(self.service.post("/v1/events", json.dumps(event), CLOUDEVENT))
        event["data_base64"] = "###"
        self.refused(self.service.post("/v1/events", json.dumps(event), CLOUDEVENT), 400, "base64")

    def test_what_is_no_event_is_refused_with_a_reason(self):
        post = self.service.post
        self.refused(post("/v1/events", "{}"), 400, "no header ce-type")
        self.refused(post("/v1/events", "x", {"ce-type": ""}), 400, "type")
        for name in ("time", "expirytime"):
            self.refused(post("/v1/events", "x", {"ce-type": "a", f"ce-{name}": "yesterday"}), 400,
                         f'"{name}" is not an RFC 3339 time')
        self.refused(post("/v1/events", "x", {"ce-type": "a", "ce-specversion": "0.3"}), 400,
                     "specversion")
        self.refused(post("/v1/events", "x", {"ce-type": "a", "ce-subject": "%4"}), 400,
                     "percent-encoded")
        self.refused(post("/v1/events", "x", {"ce-type": "a", "ce-subject": "%ff"}), 400, "UTF-8")
        self.refused(post("/v1/events", "x", {"ce-type": "a", "ce-data": "1"}), 400, "is the body")
        self.refused(post("/v1/events", "x", {"ce-type": "a", "ce-no_name": "1"}), 400, "no_name")
        self.refused(post("/v1/events", "x", {"ce-type": "a", "Idempotency-Key": b"\xff"}), 400,
                     "UTF-8")
        for text in ("", "{", "[]", "7", '{"type": "a"} x', '{"specversion": "1.0"}',
                     '{"specversion": "1.0", "type": 7}', '{"specversion":"1.0","type":"\xff"}',
                     '{"specversion": "2.0", "type": "a"}'):
            with self.subTest(text):
                self.refused(post("/v1/events", text.encode("latin-1"), CLOUDEVENT), 400, "")

    def test_formats_that_are_unknown_are_refused_as_such(self):
        for kind in ("application/cloudevents", "application/cloudevents+xml",
                     "application/cloudevents-batch+avro", "application/cloudevents+json2"):
            self.refused(self.service.post("/v1/events", "x", {"Content-Type": kind,
                                                               "ce-type": "a"}),
                         415, "application/cloudevents+json")

    def test_an_event_that_is_too_large_is_refused_and_the_connection_goes_on(self):
        connection = self.service.connection()
        self.addCleanup(connection.close)
        for size, status in ((64 * 1024 - 2, 202), (64 * 1024 - 1, 413), (1 << 20, 413), (1, 202)):
            with self.subTest(size):
                answer = self.service.post("/v1/events", json.dumps("x" * size),
                                           {"ce-type": "shown", "Content-Type": "application/json"},
                                           over=connection)
                self.assertEqual(answer.status, status, answer)

    def test_what_the_event_type_requires_is_required(self):
        event = self.service.event
        self.refused(event("order.created", {"total": 1}), 422, "subject")
        self.refused(event("order.created", {"total": "1"}, subject="x"), 422, "data.total")
        self.taken(event("order.created", {"total": 1}, subject="x"))

    def test_a_batch_with_a_bad_event_takes_none_and_one_with_a_refused_event_the_others(self):
        good = {"specversion": "1.0", "type": "shown", "id": "good"}
        lacking = {"specversion": "1.0", "type": "order.created", "id": "lacking"}
        before = self.service.stats()["accepted"]
        for bad in ([good, 7], [good, {"type": 1}], good, [good, {"specversion": "1.0"}]):
            self.refused(self.service.post("/v1/events", json.dumps(bad), BATCH), 400, "")
        self.refused(self.service.post("/v1/events", "[", BATCH), 400, "")
        self.assertEqual(self.service.stats()["accepted"], before)
        answer = self.service.post("/v1/events", json.dumps([good, lacking, good]), BATCH)
        self.assertEqual(answer.status, 422, answer)
        self.assertEqual(answer.headers["content-type"], "application/problem+json")
        problem = answer.json()
        self.assertEqual(problem["refused"], 1)
        self.assertEqual([event["status"] for event in problem["events"]], [202, 422, 202])
        self.assertIn("subject", problem["events"][1]["detail"])
        self.assertEqual(self.service.stats()["accepted"], before + 2)

    def test_whoever_waits_is_told_how_it_ended(self):
        event = self.service.event
        done = event("shown", {}, "?wait=5s", id="w-1").json()
        self.assertEqual((done["id"], done["state"]), ("w-1", "done"))
        self.assertEqual([(action["rule"], action["agent"], action["action"], action["state"])
                          for action in done["actions"]], [("show", "out", "show", "done")])
        failed = event("bad", {}, "?wait=5s").json()
        self.assertEqual(failed["state"], "failed")
        self.assertEqual((failed["actions"][0]["state"], failed["actions"][0]["reason"]),
                         ("dead", "fails for good, as configured"))
        spoilt = event("whole", {}, "?wait=5s").json()
        self.assertEqual((spoilt["state"], spoilt["actions"]), ("failed", []))
        self.assertIn("subject", spoilt["detail"])
        hers = event("hers", {}, "?wait=5s").json()
        self.assertEqual([action.get("user") for action in hers["actions"]], ["anna"])
        unmatched = event("nobody.wants", {}, "?wait=5s").json()
        self.assertEqual((unmatched["state"], unmatched["actions"]), ("unmatched", []))
        still = event("work", {"hold": "w-2"}, "?wait=50ms", id="w-2").json()
        self.assertEqual(still["state"], "open")
        self.assertEqual(self.service.get("/v1/events/w-2").json()["state"], "in flight")
        self.taken(event("shown", {}, "?wait=0s"))

    def test_waiting_has_its_limits(self):
        for query in ("?wait=5", "?wait=-1s", "?wait=1d", "?wait=301s", "?wait=5s5", "?wait=s",
                      "?wait=99999999999999999999s"):
            with self.subTest(query):
                self.refused(self.service.event("shown", {}, query), 400, '"wait"')
        answer = self.service.post("/v1/events?wait=1s", "[]", BATCH)
        self.refused(answer, 400, "single event")

    def test_line_breaks_in_attributes_come_out_in_no_header(self):
        evil = "x%0d%0aSet-Cookie:%20a=b%0d%0a%0d%0abody"
        for name in ("ce-id", "ce-subject", "ce-source", "ce-type", "ce-shopid"):
            headers = {"ce-type": "shown", name: evil}
            answer = self.service.post("/v1/events", "x", headers)
            self.refused(answer, 422, "control characters")
            self.assertNotIn("set-cookie", answer.headers)
        answer = self.service.get("/v1/events/" + evil)
        self.assertIn(answer.status, (200, 404))
        self.assertNotIn("set-cookie", answer.headers)
        answer = self.service.call("PUT", "/v1/agents/" + evil)
        self.assertNotIn("set-cookie", answer.headers)

    def test_json_that_is_too_deep_is_refused_and_what_is_deep_enough_is_taken(self):
        for depth, status in ((60, 202), (65, 400), (30000, 400)):
            text = '{"specversion":"1.0","type":"shown","data":' + "[" * depth + "]" * depth + "}"
            answer = self.service.post("/v1/events", text, CLOUDEVENT)
            self.assertEqual(answer.status, status, answer)
            self.service.post("/v1/events", "[" * depth + "]" * depth,
                              {"ce-type": "shown", "Content-Type": "application/json"})
        self.assertEqual(self.service.get("/health").status, 200)


class Durable(unittest.TestCase):
    def test_what_was_answered_202_survives_a_kill_and_is_done_by_the_next_run(self):
        with serve(DURABLE) as service:
            receipts = [service.event("held", {}, id=f"k-{n}").json() for n in range(20)]
            self.assertEqual({receipt["durability"] for receipt in receipts}, {"synced"})
            service.hub.stop(signal.SIGKILL)
        with Running("atamo.yaml") as hub:
            service = await_service(hub)
            service.when(lambda: service.get("/ready").status == 200)
            self.assertEqual(service.stats()["accepted"], 20)
            for receipt in receipts:
                answer = service.get(receipt["status_url"])
                self.assertEqual((answer.status, answer.json()["message"]),
                                 (200, receipt["message"]))
                self.assertEqual(answer.json()["state"], "in flight")
                self.assertIn("admitted", [step["step"] for step in answer.json()["steps"]])
            self.assertEqual(service.get("/v1/events/k-7").json()["message"],
                             receipts[7]["message"])
            self.assertEqual(service.get("/v1/events/k-7/why").json()["message"],
                             receipts[7]["message"])
            for unknown in ("k-20", "01a1fd46-8196-700c-8003-d5daa7c5a6e3"):
                self.assertEqual(service.get("/v1/events/" + unknown).status, 404)
                self.assertEqual(service.get(f"/v1/events/{unknown}/why").status, 404)

    def test_nothing_is_attempted_before_the_commit(self):
        with serve(DURABLE) as service:
            service.event("shown", {}, id="c-1")
            order = [step["step"] for step in service.path_of("c-1")["steps"]]
            self.assertLess(order.index("committed"), order.index("attempt"), order)

    def test_the_same_event_again_is_told_as_a_duplicate_of_the_first(self):
        with serve(DURABLE) as service:
            first = service.event("shown", {}, id="d-1", source="/shop")
            self.assertFalse(first.json()["duplicate"])
            again = service.event("shown", {}, id="d-1", source="/shop")
            self.assertEqual(again.status, 202, again)
            self.assertTrue(again.json()["duplicate"])
            self.assertEqual(again.json()["message"], first.json()["message"])
            self.assertEqual(again.json()["status_url"], first.json()["status_url"])
            self.assertEqual(again.headers["location"], first.headers["location"])
            waited = service.event("shown", {}, "?wait=5s", id="d-1", source="/shop")
            self.assertEqual((waited.status, waited.json()["duplicate"]), (202, True))
            other = service.event("shown", {}, id="d-1", source="/other")
            self.assertFalse(other.json()["duplicate"])
            keyed = [service.post("/v1/events", {"n": n}, {"ce-type": "shown",
                                                           "Idempotency-Key": "pay-17"})
                     for n in range(3)]
            self.assertEqual([answer.json()["duplicate"] for answer in keyed], [False, True, True])
            self.assertEqual(len({answer.headers["location"] for answer in keyed}), 1)
            batch = json.dumps([{"specversion": "1.0", "type": "shown", "id": "d-1",
                                 "source": "/shop"}, {"specversion": "1.0", "type": "shown"}])
            receipts = service.post("/v1/events", batch, BATCH).json()["events"]
            self.assertEqual([receipt["duplicate"] for receipt in receipts], [True, False])
            self.assertEqual(receipts[0]["message"], first.json()["message"])
            self.assertEqual(service.stats()["duplicates"], 5)


if __name__ == "__main__":
    unittest.main()
