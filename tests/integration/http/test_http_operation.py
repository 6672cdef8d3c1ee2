"""What an operator asks for: agents, dead letters, why, numbers, health."""

import pathlib
import queue
import shutil
import subprocess
import threading
import time
import unittest

import exposition
from service import serve

CONFIG = r"""
agents:
  out: {plugin: log}
  worker: {plugin: exec, config: {WORKER}}
  moody: {plugin: exec, config: {WORKER}, retry: {attempts: 1}}
  bad: {plugin: flaky, config: {outcome: fail}}
event_providers: {api: HTTP}
rules:
  - {id: show, on: shown, then: {agent: out, action: show}}
  - id: large
    on: order
    when: {data: {total: [{numeric: [">=", 100]}]}}
    then: {agent: out, action: show}
  - {id: 'odd "rule" \ name', on: odd, then: {agent: out, action: show}}
  - {id: work, on: work, then: {agent: worker, action: work}}
  - {id: moods, on: "mood.*", then: {agent: moody, action: moody}}
  - {id: spoil, on: bad, then: {agent: bad, action: spoil}}
"""
BROKEN = pathlib.Path("broken")


class Operation(unittest.TestCase):
    def setUp(self):
        BROKEN.unlink(missing_ok=True)
        self.context = serve(CONFIG)
        self.service = self.context.__enter__()
        self.addCleanup(self.context.__exit__, None, None, None)

    def refused(self, answer, status, words):
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(answer.headers["content-type"], "application/problem+json")
        self.assertIn(words, answer.json()["detail"])

    def agent(self, name):
        return next(agent for agent in self.service.get("/v1/agents").json()["agents"]
                    if agent["id"] == name)

    def letters(self, query=""):
        return self.service.get("/v1/dead-letters?" + query).json()["dead_letters"]

    # --- agents

    def test_agents_tell_how_they_stand(self):
        self.service.event("bad", {}, "?wait=5s")
        for _ in range(10):
            self.service.event("shown", {}, "?wait=5s")
        agents = self.service.get("/v1/agents").json()["agents"]
        self.assertEqual([agent["id"] for agent in agents], ["out", "worker", "moody", "bad"])
        out = agents[0]
        self.assertEqual((out["plugin"], out["mode"], out["state"], out["breaker"], out["done"],
                          out["attempts"]), ("log", "pool", "running", "closed", 10, 10))
        latency = out["latency"]
        self.assertEqual(latency["count"], 10)
        self.assertEqual(sum(bucket["count"] for bucket in latency["buckets"]), 10)
        self.assertLessEqual(latency["p50_us"], latency["p99_us"])
        self.assertEqual((agents[3]["dead"], agents[3]["done"]), (1, 0))

    def test_a_paused_agent_keeps_its_work_until_it_is_resumed(self):
        post, event = self.service.post, self.service.event
        paused = post("/v1/agents/out:pause")
        self.assertEqual((paused.status, paused.json()["state"]), (200, "paused"))
        self.assertEqual(post("/v1/agents/o%75t:pause").json()["state"], "paused")
        messages = [event("shown", {}).json()["message"] for _ in range(5)]
        self.assertEqual(event("shown", {}, "?wait=100ms").json()["state"], "open")
        self.assertEqual((self.agent("out")["queued"], self.agent("out")["done"]), (6, 0))
        self.assertIn('atamo_agent_paused{agent="out"} 1\n', self.service.get("/metrics").body.decode())
        self.assertEqual(post("/v1/agents/out:resume").json()["state"], "running")
        for message in messages:
            self.service.path_of(message)
        self.assertEqual(self.agent("out")["queued"], 0)

    def test_draining_answers_when_nothing_runs_any_more(self):
        self.assertEqual(self.service.post("/v1/agents/worker:drain").json()["state"], "paused")
        self.service.post("/v1/agents/worker:resume")
        asked = self.service.post("/v1/requests", '{"hold": "drained"}',
                                  {"ce-type": "work", "Content-Type": "application/json"})
        self.service.hub.line_of("holds drained")
        self.refused(self.service.post("/v1/agents/worker:drain?wait=300ms"), 504,
                     "still holds 1 actions")
        answers = queue.Queue()
        drain = threading.Thread(target=lambda: answers.put(
            self.service.post("/v1/agents/worker:drain?wait=20s")))
        drain.start()
        self.assertEqual(self.agent("worker")["state"], "paused")
        self.service.call("DELETE", asked.json()["status_url"])
        drain.join()
        answer = answers.get()
        self.assertEqual((answer.status, answer.json()["running"], answer.json()["state"]),
                         (200, 0, "paused"))

    def test_agents_that_are_not_there_are_not_found(self):
        for verb in ("pause", "resume", "drain"):
            for name in ("nobody", "out%00", "out%2f", "..", "%2e%2e", "a" * 600, "%zz"):
                answer = self.service.post(f"/v1/agents/{name}:{verb}")
                self.assertIn(answer.status, (400, 404), answer)
                self.assertEqual(answer.headers["content-type"], "application/problem+json")
        self.refused(self.service.post("/v1/agents/out:drain?wait=x"), 400, '"wait"')
        self.assertEqual(self.agent("out")["state"], "running")
        self.refused(self.service.post("/v1/agents/out:stop"), 404, "there is nothing at")

    # --- dead letters

    def test_dead_letters_come_in_pages_and_by_what_they_are(self):
        for _ in range(25):
            self.service.event("bad", {}, "?wait=5s")
        BROKEN.touch()
        self.service.event("mood.low", {}, "?wait=5s", id="m-1")
        self.assertEqual(len(self.letters()), 26)
        seen, after, pages = [], "", 0
        while after is not None:
            page = self.service.get(f"/v1/dead-letters?limit=10&agent=bad&after={after}").json()
            seen += [letter["id"] for letter in page["dead_letters"]]
            after, pages = page["next"], pages + 1
        self.assertEqual((len(seen), len(set(seen)), pages), (25, 25, 3))
        for query in ("agent=moody", "rule=moods", "type=mood.low", "agent=moody&type=mood.low"):
            found = self.letters(query)
            self.assertEqual(len(found), 1, query)
        letter = found[0]
        self.assertEqual((letter["event"], letter["type"], letter["rule"], letter["agent"],
                          letter["action"], letter["text"], letter["attempts"]),
                         ("m-1", "mood.low", "moods", "moody", "moody", "broken", 1))
        self.assertLess(abs(letter["died_us"] / 1e6 - time.time()), 60)
        self.assertEqual(self.letters("agent=bad&rule=moods"), [])
        shown = self.service.get("/v1/dead-letters/" + letter["id"])
        self.assertEqual(shown.json(), letter)
        for query in ("limit=1001", "limit=x", "after=x", "agent=" + "a" * 100):
            self.assertEqual(self.service.get("/v1/dead-letters?" + query).status, 400, query)

    def test_a_letter_is_replayed_or_dropped_once(self):
        BROKEN.touch()
        for number in range(2):
            self.service.event("mood.low", {}, "?wait=5s", id=f"r-{number}")
        first, second = (letter["id"] for letter in self.letters())
        self.assertEqual(self.service.get("/v1/events/r-0").json()["state"], "dead")
        BROKEN.unlink()
        self.assertEqual(self.service.post(f"/v1/dead-letters/{first}:replay").status, 202)
        path = self.service.path_of("r-0")
        self.assertIn("replayed", [step["step"] for step in path["steps"]])
        self.assertEqual(self.service.call("DELETE", "/v1/dead-letters/" + second).status, 204)
        self.assertEqual(self.letters(), [])
        for number in (first, second, "0", "x", "1x", "18446744073709551616", "-1", "%20" + first):
            url = "/v1/dead-letters/" + number
            self.refused(self.service.get(url), 404, "no dead letter")
            self.refused(self.service.call("DELETE", url), 404, "no dead letter")
            self.refused(self.service.post(url + ":replay"), 404, "no dead letter")

    def test_many_are_replayed_at_the_rate_that_was_asked_for(self):
        BROKEN.touch()
        for number in range(30):
            self.service.event("mood.low" if number < 20 else "mood.odd", {}, "?wait=5s")
        BROKEN.unlink()
        many = "/v1/dead-letters:replay?type=mood.low&rate=20"
        dry = self.service.post(many + "&dry_run=true")
        self.assertEqual((dry.status, dry.json()), (200, {"count": 20}))
        self.assertEqual(len(self.letters()), 30)
        before = time.monotonic()
        answer = self.service.post(many)
        self.assertEqual((answer.status, answer.json()), (202, {"count": 20}))
        self.service.when(lambda: len(self.letters()) == 10)
        self.assertGreater(time.monotonic() - before, 0.5)
        self.service.when(lambda: self.agent("moody")["done"] == 20)
        self.assertEqual({letter["type"] for letter in self.letters()}, {"mood.odd"})
        self.refused(self.service.post("/v1/dead-letters:replay?rate=0"), 400, "rate of 0")
        self.refused(self.service.post("/v1/dead-letters:replay?rate=fast"), 400, '"rate"')

    def test_replaying_what_dies_again_ends(self):
        for _ in range(5):
            self.service.event("bad", {}, "?wait=5s")
        self.assertEqual(self.service.post("/v1/dead-letters:replay?rate=1000").json()["count"], 5)
        self.service.when(lambda: self.agent("bad")["dead"] == 10)
        self.assertEqual(len(self.letters()), 5)
        time.sleep(1.2)  # two looks of the one that replays
        self.assertEqual(self.agent("bad")["dead"], 10)

    # --- why

    def test_why_tells_the_clause_that_did_not_hold(self):
        message = self.service.event("order", {"total": 7}, "?wait=5s", id="why-1").json()["message"]
        for name in ("why-1", message):
            why = self.service.get(f"/v1/events/{name}/why").json()
            self.assertEqual((why["message"], why["state"]), (message, "finished"))
            rules = {rule["id"]: rule for rule in why["rules"]}
            self.assertFalse(rules["large"]["matched"])
            self.assertIn("data.total is 7", rules["large"]["reason"])
            self.assertIn("type is order", rules["show"]["reason"])
        self.refused(self.service.get("/v1/events/none/why"), 404, "none")
        self.refused(self.service.get("/v1/events/none"), 404, "none")

    def test_an_id_that_looks_like_that_of_a_message_is_found_all_the_same(self):
        for name in ("936da01f-9abd-4d9d-80c7-02af85c822a8", "a/b?c#d%20 ü", "..", "x" * 500):
            self.service.event("shown", {}, "?wait=5s", id=name)
            self.assertEqual(self.service.path_of(name)["id"], name)

    # --- numbers

    def test_metrics_are_in_the_format_of_prometheus(self):
        for kind in ("shown", "odd", "bad", "nobody.wants"):
            self.service.event(kind, {}, "?wait=5s")
        answer = self.service.get("/metrics")
        self.assertEqual(answer.headers["content-type"],
                         "text/plain; version=0.0.4; charset=utf-8")
        values = exposition.read(answer.body.decode())
        self.assertEqual(values["atamo_messages_accepted_total", None], 4)
        self.assertEqual(values["atamo_messages_unmatched_total", None], 1)
        self.assertEqual(values["atamo_actions_ended_total", 'end="dead"'], 1)
        self.assertEqual(values["atamo_rule_hits_total", r'rule="odd \"rule\" \\ name"'], 1)
        self.assertEqual(values["atamo_agent_attempt_seconds_count", 'agent="out"'], 2)
        self.assertEqual(values["atamo_dead_letters", None], 1)
        tool = shutil.which("promtool")
        if tool is not None:
            checked = subprocess.run([tool, "check", "metrics"], input=answer.body,
                                     capture_output=True, timeout=30)
            self.assertEqual((checked.returncode, checked.stderr), (0, b""), checked)

    def test_the_reader_of_the_format_is_strict(self):
        good = "# HELP a_total A.\n# TYPE a_total counter\na_total 1\n"
        self.assertEqual(exposition.read(good), {("a_total", None): 1})
        for bad in (good[:-1], good + "\n", good + "a_total 2\n", good + "b 1\n", good + good,
                    good.replace(" 1", " x"), good.replace("counter", "gauge"),
                    good.replace("a_total 1", 'a_total{x="y"z"} 1')):
            with self.subTest(bad), self.assertRaises(ValueError):
                exposition.read(bad)

    def test_the_books_balance_at_every_moment(self):
        BROKEN.touch()
        kinds = ("shown", "bad", "mood.low", "nobody.wants", "work")

        def post():
            over = self.service.connection()
            for number in range(100):
                data = {"hold": "x"} if number % 20 == 4 else {}
                self.service.event(kinds[number % 5], data, over=over)
            over.close()
        posters = [threading.Thread(target=post) for _ in range(4)]
        for poster in posters:
            poster.start()
        while any(poster.is_alive() for poster in posters):
            stats = self.service.stats()
            self.assertEqual(stats["accepted"], stats["finished"] + stats["in_flight"])
            ends = ("done", "dead", "shed", "cancelled", "expired", "waiting", "running")
            self.assertEqual(stats["actions"], sum(stats[end] for end in ends), stats)
        self.service.when(lambda: self.service.stats()["in_flight"] == 20)
        stats = self.service.stats()
        self.assertEqual((stats["accepted"], stats["unmatched"], stats["dead"], stats["done"]),
                         (400, 80, 160, 140))
        self.assertEqual((stats["durable"], stats["rules"], stats["generation"]), (False, 6, 1))

    def test_health_readiness_and_description_are_for_everybody(self):
        self.assertEqual(self.service.get("/health").json(), {"status": "ok"})
        self.assertEqual(self.service.get("/ready").json(), {"ready": True})
        openapi = self.service.get("/openapi.json")
        self.assertEqual((openapi.status, openapi.headers["content-type"]),
                         (200, "application/json"))
        openapi.json()

    def test_rules_tell_where_they_are_and_how_often_they_matched(self):
        self.service.event("shown", {}, "?wait=5s")
        known = self.service.get("/v1/rules").json()
        self.assertEqual(known["generation"], 1)
        rules = {rule["id"]: rule for rule in known["rules"]}
        self.assertEqual(len(rules), 6)
        self.assertEqual((rules["show"]["hits"], rules["large"]["hits"]), (1, 0))
        self.assertTrue(rules["show"]["file"].endswith("atamo.yaml"))
        self.assertEqual(rules["large"]["line"], rules["show"]["line"] + 1)


if __name__ == "__main__":
    unittest.main()
