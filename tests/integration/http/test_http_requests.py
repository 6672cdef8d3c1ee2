"""/v1/requests as clients meet it: ask, wait, listen, come back, cancel."""

import json
import time
import unittest

import exposition
from service import is_json, serve

CONFIG = """
agents:
  worker: {plugin: exec, config: {WORKER}}
  slow: {plugin: exec, config: {WORKER}}
event_providers: {api: HTTP}
events:
  paid: {required: [data.total]}
  "*": accept
rules:
  - {id: ask, on: [ask, paid], then: {agent: worker, action: answer}}
  - {id: both, on: both, then: [{agent: worker, action: one}, {agent: slow, action: two}]}
  - {id: release, on: release, then: {agent: worker, action: release}}
"""
CLOUDEVENT = {"Content-Type": "application/cloudevents+json"}
BATCH = {"Content-Type": "application/cloudevents-batch+json"}


class Requests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.context = serve(CONFIG, options=", keep: 1s, max_requests: 30")
        cls.service = cls.context.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.context.__exit__(None, None, None)

    def ask(self, data, kind="ask", query=""):
        """Its URL."""
        answer = self.service.post("/v1/requests" + query, json.dumps(data),
                                   {"ce-type": kind, "Content-Type": "application/json"})
        self.assertEqual(answer.status, 202, answer)
        receipt = answer.json()
        self.assertEqual(answer.headers["location"], receipt["status_url"])
        self.assertEqual(receipt["status_url"], "/v1/requests/" + receipt["request_id"])
        self.assertEqual(receipt["stream_url"], receipt["status_url"] + "/stream")
        return receipt["status_url"]

    def end(self, url):
        """What is known of it when it has ended."""
        def look():
            known = self.service.get(url + "?wait=5s&after=1000000").json()
            return known if known["state"] != "open" else None
        self.service.when(look)
        return self.service.get(url).json()

    def refused(self, answer, status, words):
        self.assertEqual(answer.status, status, answer)
        self.assertIn(words, answer.json()["detail"])

    def test_responses_and_progress_are_kept_in_order(self):
        known = self.end(self.ask({"steps": 2, "answers": ["a", {"b": 1.50}, None]}))
        self.assertEqual(known["state"], "done")
        responses = known["responses"]
        self.assertEqual([response["sequence"] for response in responses], [1, 2, 3, 4, 5, 6])
        self.assertEqual([response["kind"] for response in responses],
                         ["progress", "progress", "data", "data", "data", "data"])
        self.assertEqual([response["progress"] for response in responses[:2]], [0.5, 1])
        self.assertEqual(responses[0]["text"], "step 1")
        self.assertEqual([response["data"] for response in responses[2:5]], ["a", {"b": 1.5}, None])
        self.assertEqual({(response["agent"], response["rule"]) for response in responses},
                         {("worker", "ask")})

    def test_several_agents_answer_one_request(self):
        known = self.end(self.ask({"answers": [1, 2]}, "both"))
        self.assertEqual(sorted(response["agent"] for response in known["responses"]),
                         ["slow"] * 3 + ["worker"] * 3)

    def test_a_long_poll_answers_with_the_first_response_it_has_not_seen(self):
        url = self.ask({"answers": ["one"], "hold": "poll"})
        first = self.service.get(url + "?wait=5s").json()
        self.assertEqual((first["state"], first["responses"][0]["data"]), ("open", "one"))
        before = time.monotonic()
        none = self.service.get(url + "?wait=300ms&after=1").json()
        self.assertEqual((none["state"], none["responses"]), ("open", []))
        self.assertGreater(time.monotonic() - before, 0.29)
        with self.service.stream(url + "/stream", {"Last-Event-ID": "1"}) as stream:
            self.service.event("release")
            rest = stream.rest()
        self.assertEqual([event["data"].get("data") for event in rest], ["released", None])
        known = self.service.get(url + "?after=1").json()
        self.assertEqual([response["data"] for response in known["responses"]], ["released"])
        self.assertEqual(known["state"], "done")

    def test_a_stream_tells_each_response_and_the_end_and_resumes_where_it_was(self):
        url = self.ask({"steps": 3, "answers": [{"n": n} for n in range(100)]})
        with self.service.stream(url + "/stream") as stream:
            self.assertEqual(stream.response.getheader("Content-Type"), "text/event-stream")
            self.assertEqual(stream.response.getheader("Cache-Control"), "no-store")
            events = stream.rest()
        self.assertEqual([event["event"] for event in events],
                         ["progress"] * 3 + ["data"] * 101 + ["end"])
        self.assertEqual([event.get("id") for event in events],
                         [str(n) for n in range(1, 106)])
        self.assertEqual(events[-1]["data"]["state"], "done")
        with self.service.stream(url + "/stream", {"Last-Event-ID": "100"}) as stream:
            self.assertEqual(stream.rest(), events[100:])
        with self.service.stream(url + "/stream", {"Last-Event-ID": "9999"}) as stream:
            self.assertEqual(stream.rest(), events[-1:])

    def test_cancelling_reaches_the_agent(self):
        url = self.ask({"hold": "cancelled-by-client"})
        self.service.hub.line_of("holds cancelled-by-client")
        with self.service.stream(url + "/stream") as stream:
            self.assertEqual(self.service.call("DELETE", url).status, 204)
            self.service.hub.line_of("cancelled cancelled-by-client")
            self.assertEqual(stream.rest()[-1]["data"]["state"], "cancelled")
        known = self.service.get(url).json()
        self.assertEqual((known["state"], known["detail"]), ("cancelled",
                                                             "cancelled by the client"))
        self.assertEqual(self.service.call("DELETE", url).status, 204)
        self.assertEqual(self.service.get(url).json(), known)

    def test_a_request_times_out_and_its_agent_is_told(self):
        url = self.ask({"answers": ["early"], "hold": "too-late"}, query="?timeout=200ms")
        known = self.end(url)
        self.assertEqual(known["state"], "timeout")
        self.assertEqual([response["data"] for response in known["responses"]], ["early"])
        self.service.hub.line_of("cancelled too-late")

    def test_a_request_that_fails_or_that_no_rule_wants_says_so(self):
        known = self.end(self.ask({"fail": "no stamps left"}))
        self.assertEqual(known["state"], "failed")
        self.assertIn("no stamps left", known["detail"])
        self.assertEqual(self.end(self.ask({}, "nobody.wants"))["state"], "unmatched")
        self.assertEqual(self.end(self.ask({}, "paid"))["state"], "refused")

    def test_what_is_no_request_is_refused(self):
        post = self.service.post
        self.refused(post("/v1/requests", "{}"), 400, "no header ce-type")
        self.refused(post("/v1/requests", "{", CLOUDEVENT), 400, "not JSON")
        self.refused(post("/v1/requests", '[{"specversion": "1.0", "type": "ask"}]', BATCH), 400,
                     "single event")
        self.refused(post("/v1/requests", "x", {"Content-Type": "application/cloudevents"}), 415,
                     "application/cloudevents+json")
        for query in ("timeout=soon", "timeout=25h", "timeout=-1s"):
            self.refused(post("/v1/requests?" + query, "", {"ce-type": "ask"}), 400, '"timeout"')
        url = self.ask({})
        for query in ("wait=301s", "wait=x", "after=x", "after=-1"):
            answer = self.service.get(f"{url}?{query}")
            self.refused(answer, 400, f'"{query.partition("=")[0]}"')

    def test_unknown_requests_are_not_found(self):
        for name in ("x", "7", "01a1fd46-8196-700c-8003-d5daa7c5a6e3",
                     "00000000-0000-0000-0000-000000000000"):
            url = "/v1/requests/" + name
            self.refused(self.service.get(url), 404, name)
            self.refused(self.service.call("DELETE", url), 404, name)
            self.refused(self.service.get(url + "/stream"), 404, name)

    def test_what_has_ended_is_kept_for_a_while_and_those_kept_are_limited(self):
        urls = []
        while True:
            answer = self.service.post("/v1/requests", "{}", {"ce-type": "ask"})
            if answer.status != 202:
                break
            urls.append(answer.json()["status_url"])
        self.assertLessEqual(len(urls), 30)
        self.refused(answer, 429, "too many requests are kept")
        self.assertEqual(answer.headers["retry-after"], "1")
        for url in urls:
            self.service.when(lambda url=url: self.service.get(url).status == 404)
        self.assertEqual(self.end(self.ask({}))["state"], "done")

    def test_a_client_that_goes_away_while_it_waits_changes_nothing(self):
        url = self.ask({"hold": "lonely"})
        for path in (url + "?wait=60s", url + "/stream"):
            with self.service.raw() as link:
                link.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        self.service.event("release")
        self.assertEqual(self.end(url)["state"], "done")


class Figures(unittest.TestCase):
    CONFIG = """
    agents:
      thrifty: {plugin: flaky, config: {respond: true}, cache: {ttl: 1m}}
    event_providers: {api: HTTP}
    rules:
      - {id: ask, on: ask, then: {agent: thrifty, action: answer}}
    """

    def test_caches_and_requests_are_counted(self):
        with serve(self.CONFIG) as service:
            self.assertNotIn("cache", service.get("/v1/agents").json()["agents"][0])
            for _ in range(4):
                url = service.post("/v1/requests", '{"q": 1}', {"ce-type": "ask"}
                                   ).json()["status_url"]
                known = service.get(url + "?wait=5s").json()
                self.assertEqual([response["data"] for response in known["responses"]],
                                 [{"q": 1}])
            cache = service.get("/v1/agents").json()["agents"][0]["cache"]
            found = exposition.read(service.get("/metrics").body.decode())
            stats = service.stats()
        self.assertGreater(cache.pop("bytes"), 0)
        self.assertEqual(cache, {"hits": 3, "stale": 0, "joins": 0, "misses": 1, "evicted": 0,
                                 "entries": 1})
        for name, value in (("hits_total", 3), ("misses_total", 1), ("entries", 1)):
            self.assertEqual(found[f"atamo_agent_cache_{name}", 'agent="thrifty"'], value)
        for name, value in (("replies_total", 4), ("replies_lost_total", 0), ("requests_open", 0),
                            ("feeds_open", 0), ("http_requests_stored", 4), ("http_readers", 0)):
            self.assertEqual(found[f"atamo_{name}", None], value)
        self.assertEqual((stats["replies"], stats["replies_lost"], stats["feeds"]), (4, 0, 0))


class Stopping(unittest.TestCase):
    def test_a_hub_that_stops_ends_streams_and_answers_who_waits(self):
        with serve(CONFIG) as service:
            url = service.post("/v1/requests", '{"hold": "open"}',
                               {"ce-type": "ask", "Content-Type": "application/json"}
                               ).json()["status_url"]
            service.hub.line_of("holds open")
            polls = service.connection()
            polls.request("GET", url + "?wait=60s")
            waits = service.connection()
            waits.request("POST", "/v1/events?wait=60s", '{"hold": "waited"}',
                          {"ce-type": "ask", "Content-Type": "application/json"})
            service.hub.line_of("holds waited")
            with service.stream(url + "/stream") as stream, \
                    service.stream("/v1/telemetry?since=oldest") as telemetry:
                telemetry.until(lambda event: is_json(event, step="attempt"))
                before = time.monotonic()
                code = service.hub.stop()
                self.assertLess(time.monotonic() - before, 25)
                self.assertIn(code, (0, 5))
                stream.rest()
                telemetry.rest()
            for connection in (polls, waits):
                answer = connection.getresponse()
                self.assertIn(answer.status, (200, 503))
                json.loads(answer.read())
                connection.close()


if __name__ == "__main__":
    unittest.main()
