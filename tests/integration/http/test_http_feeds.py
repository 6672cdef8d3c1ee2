"""Feeds over /v1/requests, and clients that are slow, leave and come back."""

import http.client
import json
import os
import pathlib
import resource
import selectors
import socket
import time
import unittest

from service import Stream, serve

READERS = 1000
CONFIG = """
hub: {stop_limit: 2s}
agents:
  ticker: {plugin: exec, config: {FEEDER}}
  other: {plugin: exec, config: {FEEDER}}
event_providers: {api: HTTP}
events: {"*": accept}
rules:
  - {id: ticks, on: ticks, then: {agent: ticker, action: feed}}
  - {id: both, on: both, then: [{agent: ticker, action: feed}, {agent: other, action: feed}]}
  - {id: warm, on: warm, then: [{agent: ticker, action: tell}, {agent: other, action: tell}]}
  - {id: tell, on: tell, then: {agent: ticker, action: tell}}
"""

# A worker whose feeds say what the test tells them: an event "tell" has the lines to be written.
FEEDER = """
import json, sys

def say(**line):
    sys.stdout.write(json.dumps(line) + "\\n")
    sys.stdout.flush()

feeds = {}
for text in sys.stdin:
    line = json.loads(text)
    if "cancel" in line:
        name = feeds.pop(line["cancel"], None)
        say(log="info", text=f"cancelled {name}")
        say(id=line["cancel"], outcome="done")
        continue
    body = line["body"] or {}
    if line["action"] == "feed":
        feeds[line["id"]] = body.get("name", "")
        for answer in body.get("answers", []):
            say(id=line["id"], **answer)
        for number in range(body.get("count", 0)):
            say(id=line["id"], response={"n": number, "pad": "x" * body.get("pad", 0)})
        if "count" in body:
            say(log="info", text=f"said all of {body['name']}")
        if not line.get("wants_feed") and "hold" not in body:
            say(id=line["id"], outcome=body.get("outcome", "done"))
        continue
    for feed, name in list(feeds.items()):
        if name == body["name"]:
            for answer in body.get("answers", []):
                say(id=feed, **answer)
            if any("outcome" in answer for answer in body.get("answers", [])):
                del feeds[feed]
    say(id=line["id"], outcome="done")
"""


def data(event):
    return event["data"].get("data")


class Base(unittest.TestCase):
    options = ""

    @classmethod
    def setUpClass(cls):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4 * READERS)), hard))
        pathlib.Path("feeder.py").write_text(FEEDER, encoding="utf-8")
        command = f"command: [python3, {os.path.abspath('feeder.py')}], timeout: 700ms"
        cls.context = serve(CONFIG.replace("FEEDER", command),
                            options=cls.options)
        cls.service = cls.context.__enter__()
        # from here on the workers are up, so that `timeout` is for what they do
        cls.service.event("warm", {"name": ""}, "?wait=10s")

    @classmethod
    def tearDownClass(cls):
        code = cls.service.hub.stop()
        cls.context.__exit__(None, None, None)
        if code != 0:
            raise AssertionError(f"the hub ended with {code}")

    def ask(self, body, query="feed=true", kind="ticks"):
        """Its URL; the feed has the test's name."""
        body = {"name": self.id().rpartition(".")[2], **body}
        answer = self.service.post(f"/v1/requests?{query}", json.dumps(body),
                                   {"ce-type": kind, "Content-Type": "application/json"})
        self.assertEqual(answer.status, 202, answer)
        url = answer.json()["status_url"]
        self.addCleanup(self.service.call, "DELETE", url)  # or it might hold agents up
        return url

    def tell(self, *answers):
        """Let the feeds of this test say something; it has been said then."""
        answer = self.service.event("tell", {"name": self.id().rpartition(".")[2],
                                             "answers": answers}, "?wait=10s")
        self.assertEqual(answer.status, 200, answer)

    def told(self, count, start=0, **more):
        self.tell(*({"response": number, **more} for number in range(start, start + count)))

    def get(self, url, query=""):
        return self.service.get(url + query).json()

    def when(self, url, query, is_there):
        return self.service.when(lambda: next((known for known in [self.get(url, query)]
                                               if is_there(known)), None))


class Feeds(Base):
    options = ", keep: 60s, idle_timeout: 2s, max_results: 64MiB"

    def refused(self, query, *words):
        answer = self.service.post("/v1/requests?" + query, "{}", {"ce-type": "ticks"})
        self.assertEqual(answer.status, 400, answer)
        self.assertEqual(answer.headers["content-type"], "application/problem+json")
        for word in words:
            self.assertIn(word, answer.json()["detail"])

    # --- what can be asked for

    def test_what_makes_no_sense_is_refused_with_a_sentence(self):
        self.refused("feed=yes", '"feed" is "yes"', "false or true")
        self.refused("parts=1", '"parts"')
        self.refused("detached=maybe", '"detached"')
        for wrong in ("0", "none", "-1", "1.5", "65536", "first,2"):
            self.refused(f"answers={wrong}", f'"answers" is "{wrong}"', "all, first or a number")
        self.refused("slow=drop", '"slow" is "drop"', "block, drop-oldest or latest")
        for wrong in ("0", "-1", "65536", "many", "1e3"):
            self.refused(f"queue={wrong}", f'"queue" is "{wrong}"')
        for wrong in ("5", "25h", "-1s", "soon"):
            self.refused(f"keep={wrong}", '"keep"')
        self.refused("keep=999ms", '"keep" is less than a second')
        self.refused("feed=true&timeout=x", '"timeout"')
        self.refused("feed=true&detached=true", "exclude each other")
        url = self.ask({})
        for wrong in ("x", "-1", "1.0"):
            answer = self.service.get(url + "/stream", {"Last-Event-ID": wrong})
            self.assertEqual(answer.status, 400, answer)
        self.assertEqual(self.service.get(url + "/stream?after=x").status, 400)

    def test_a_feed_goes_on_past_the_time_that_an_agent_has_until_its_agents_end_it(self):
        url = self.ask({"answers": [{"progress": 0.5, "text": "half"}]}, "feed=true&parts=true")
        with self.service.stream(url + "/stream") as stream:
            self.assertEqual(stream.next()["data"]["progress"], 0.5)
            time.sleep(1)  # `timeout` of the agent is 700 ms
            self.tell({"response": {"rate": 1.1}, "key": "EUR/USD"})
            event = stream.next()
            self.assertEqual((event["id"], event["event"]), ("2", "data"))
            self.assertEqual(event["data"], {
                "sequence": 2, "kind": "data", "agent": "ticker", "rule": "ticks",
                "key": "EUR/USD", "data": {"rate": 1.1}})
            self.tell({"outcome": "done"})
            part, end = stream.rest()
        self.assertEqual((part["event"], part["data"]["agent"], part["data"]["state"]),
                         ("part", "ticker", "done"))
        self.assertEqual((end["event"], end["id"]), ("end", "4"))
        self.assertEqual({name: end["data"].get(name) for name in
                          ("kind", "sequence", "state", "feed", "done", "actions", "lost")},
                         {"kind": "end", "sequence": 4, "state": "done", "feed": True, "done": 1,
                          "actions": 1, "lost": None})
        known = self.get(url)
        self.assertEqual([response["kind"] for response in known["responses"]],
                         ["progress", "data", "part"])
        self.assertEqual((known["done"], known["actions"], known["feed"]), (1, 1, True))

    def test_cancelling_a_feed_reaches_its_agents(self):
        url = self.ask({"answers": [{"response": 1}]}, kind="both")
        self.when(url, "", lambda known: len(known["responses"]) == 2)
        self.assertEqual(self.service.call("DELETE", url).status, 204)
        for _ in range(2):
            self.service.hub.line_of("cancelled test_cancelling_a_feed_reaches_its_agents")
        self.assertEqual(self.get(url)["state"], "cancelled")

    def test_the_first_answer_is_enough_and_others_are_cancelled(self):
        url = self.ask({}, "feed=true&answers=first&parts=true", "both")
        self.when(url, "", lambda _: self.service.stats()["feeds"] >= 1)
        with self.service.stream(url + "/stream") as stream:
            self.tell({"response": "first", "outcome": "done"})  # of `ticker`; `other` is not told
            events = stream.rest()
        self.assertEqual(data(events[0]), "first")
        self.assertEqual((events[-1]["data"]["state"], events[-1]["data"]["done"],
                          events[-1]["data"]["actions"]), ("done", 1, 2))

    def test_partial_results_are_marked(self):
        url = self.ask({"outcome": "fail", "answers": [{"response": 1}]}, "parts=true", "both")
        known = self.when(url, "", lambda known: known["state"] != "open")
        self.assertEqual((known["state"], known["done"], known["actions"]), ("failed", 0, 2))
        parts = [response for response in known["responses"] if response["kind"] == "part"]
        self.assertEqual({(part["agent"], part["state"]) for part in parts},
                         {("ticker", "failed"), ("other", "failed")})

    # --- clients that are slow

    def test_of_too_many_the_oldest_go_and_each_reader_is_told_of_its_own_gap(self):
        url = self.ask({}, "feed=true&queue=5")
        with self.service.stream(url + "/stream") as stream:
            self.told(3)
            self.assertEqual([data(stream.next()) for _ in range(3)], [0, 1, 2])
            seen = []
            for number in range(3, 23):  # whoever keeps up misses nothing
                self.told(1, number)
                seen.append(stream.next())
            self.assertEqual([data(event) for event in seen], list(range(3, 23)))
            self.assertFalse(any("lost" in event["data"] for event in seen))
        known = self.get(url)
        self.assertEqual([response["data"] for response in known["responses"]], [18, 19, 20, 21, 22])
        self.assertEqual((known["lost"], known["responses"][0]["lost"]), (18, 18))
        with self.service.stream(url + "/stream", {"Last-Event-ID": "10"}) as stream:
            first = stream.next()
        self.assertEqual((first["id"], first["data"]["lost"]), ("19", 8))

    def test_latest_stores_the_newest_of_each_agent_rule_and_key(self):
        url = self.ask({}, "feed=true&slow=latest")
        rates = [{"response": number, "key": key} for number in range(10)
                 for key in ("EUR", "GBP", "CHF")]
        self.tell({"response": "no key"}, {"progress": 0.1}, *rates, {"progress": 0.9})
        known = self.when(url, "?after=1", lambda known: any(
            response.get("progress") == 0.9 for response in known["responses"]))
        known = self.get(url)
        self.assertEqual([(response.get("key"), response.get("data"), response.get("progress"))
                          for response in known["responses"]],
                         [(None, "no key", None), ("EUR", 9, None), ("GBP", 9, None),
                          ("CHF", 9, None), (None, None, 0.9)])
        self.assertEqual(known["lost"], 28)

    def test_block_holds_the_agent_up_until_a_poll_says_what_it_has_and_loses_nothing(self):
        url = self.ask({"count": 500}, "slow=block&queue=10")
        self.when(url, "", lambda known: len(known["responses"]) == 10)
        time.sleep(1)  # past `timeout` of the agent: it is not to blame
        self.assertEqual(len(self.get(url)["responses"]), 10)
        self.assertEqual(len(self.get(url, "?after=0&wait=50ms")["responses"]), 10)
        seen = []
        while len(seen) < 500:
            known = self.get(url, f"?wait=5s&after={len(seen)}")
            self.assertNotIn("lost", known)
            seen += known["responses"]
            self.assertIn(len(known["responses"]), range(1, 11))
        self.assertEqual([response["data"]["n"] for response in seen], list(range(500)))

    def test_block_lets_a_stream_come_back_without_a_gap(self):
        url = self.ask({"count": 3000}, "feed=true&slow=block&queue=8")
        seen = []
        while len(seen) < 3000:
            with self.service.stream(url + f"/stream?after={len(seen)}") as stream:
                for _ in range(min(200, 3000 - len(seen))):
                    event = stream.next()
                    self.assertNotIn("lost", event["data"])
                    seen.append(event["data"]["data"]["n"])
        self.assertEqual(seen, list(range(3000)))

    def test_block_waits_for_a_reader_that_does_not_read_until_its_connection_is_closed(self):
        url = self.ask({"count": 4000, "pad": 5000}, "feed=true&slow=block&queue=8")
        with socket.socket() as lazy, self.service.stream(url + "/stream") as stream:
            lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            host, _, port = self.service.address.rpartition(":")
            lazy.connect((host, int(port)))
            lazy.sendall(f"GET {url}/stream HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            before = time.monotonic()
            for number in range(4000):
                self.assertEqual(data(stream.next())["n"], number)
            self.assertGreater(time.monotonic() - before, 1.5)  # idle_timeout is 2 s
        self.assertEqual(self.service.call("DELETE", url).status, 204)

    def test_what_waits_for_a_blocking_client_is_limited_in_bytes_and_the_request_says_so(self):
        url = self.ask({"count": 60, "pad": 500000}, "feed=true&slow=block&queue=100")
        known = self.when(url, "?after=1000", lambda known: known["state"] != "open")
        self.assertEqual(known["state"], "failed")
        self.assertIn("too slow", known["detail"])
        self.service.hub.line_of("cancelled test_what_waits_for_a_blocking_client")

    # --- clients that leave

    def test_a_client_vanishes_in_the_middle_and_comes_back_with_the_id(self):
        url = self.ask({})
        seen = []
        for turn in range(20):
            with self.service.stream(url + "/stream", {"Last-Event-ID": str(len(seen))}) as stream:
                self.told(5, turn * 5)
                seen += [data(stream.next()) for _ in range(turn % 5)]
        with self.service.stream(url + "/stream", {"Last-Event-ID": str(len(seen))}) as stream:
            while len(seen) < 100:
                seen.append(data(stream.next()))
        self.assertEqual(seen, list(range(100)))

    def test_a_feed_that_nobody_reads_is_forgotten_and_its_agent_told(self):
        url = self.ask({"answers": [{"response": 1}]}, "feed=true&keep=1s")
        until = time.monotonic() + 1.7
        while time.monotonic() < until:  # whoever asks now and then keeps it
            self.assertEqual(self.service.get(url + "?after=1").status, 200)
            time.sleep(0.2)
        with self.service.stream(url + "/stream") as stream:  # and so does a stream
            stream.next()
            time.sleep(1.6)
            self.assertEqual(self.service.get(url).status, 200)
        self.told(1)  # into a connection that is gone: then it shows
        self.told(1)
        self.service.hub.line_of("cancelled test_a_feed_that_nobody_reads")
        self.service.when(lambda: self.service.get(url).status == 404)

    def test_what_a_detached_request_has_begun_goes_on_after_its_end(self):
        url = self.ask({"hold": True}, "detached=true")
        message = url.rpartition("/")[2]
        self.service.when(lambda: any(step["step"] == "attempt" for step in
                                      self.get(f"/v1/events/{message}").get("steps", [])))
        self.assertEqual(self.service.call("DELETE", url).status, 204)
        self.assertEqual(self.get(url)["state"], "cancelled")
        self.tell({"outcome": "done"})
        path = self.service.path_of(message)
        self.assertIn("done", [step["step"] for step in path["steps"]])
        self.assertNotIn("cancelled", [step["step"] for step in path["steps"]])

    def test_results_are_forgotten_some_time_after_the_end(self):
        url = self.ask({"answers": [{"response": 1}]}, "keep=1s")
        known = self.when(url, "", lambda known: known["state"] != "open")
        self.assertEqual((known["state"], len(known["responses"])), ("done", 1))
        self.service.when(lambda: self.service.get(url).status == 404)


class Many(Base):
    options = ", keep: 60s"

    def test_a_thousand_readers_of_one_feed_of_which_one_never_reads(self):
        rounds, pad = 60, 3000
        url = self.ask({}, "feed=true&queue=20")
        before = self.memory()
        links = [self.reader(url) for _ in range(READERS)]
        lazy, readers = links[0], links[1:]
        self.service.when(lambda: self.figure("atamo_http_readers") == READERS)
        seen = {link: b"" for link in readers}
        for turn in range(rounds):
            self.round(seen, turn, pad)
        few = {link: seen[link] for link in readers[:5]}
        for turn in range(rounds, 2 * rounds):  # more than the pipe to the lazy one holds
            self.round(few, turn, 100000)
        for link, stream in (seen | few).items():
            self.assertEqual(stream.count(b"event: data"), (1 + (link in few)) * rounds)
            self.assertNotIn(b'"lost"', stream)
        # 20 are stored, and those that readers are in the middle of; of 60
        self.assertLess(self.figure("atamo_http_results_bytes"), 45 * 101000)
        if "san.so" not in self.proc("maps"):  # sanitizers keep what was freed
            self.assertLess(self.memory() - before, 80 << 20)
        self.get_the_rest(lazy, 2 * rounds)
        for link in links:
            link.close()

    def get_the_rest(self, lazy, last):
        """It has what its pipe held, then a gap, then what is stored."""
        response = http.client.HTTPResponse(lazy)
        response.begin()
        events = Stream(response).until(lambda event: event["data"]["sequence"] == last)
        lost = [event["data"]["lost"] for event in events if "lost" in event["data"]]
        self.assertEqual((len(lost), sum(lost) + len(events)), (1, last))
        self.assertGreaterEqual(len(events), 20)

    def reader(self, url):
        link = socket.socket()
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        host, _, port = self.service.address.rpartition(":")
        link.connect((host, int(port)))
        link.sendall(f"GET {url}/stream HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        return link

    def round(self, seen, turn, pad):
        """The feed says something, and each of them reads it."""
        mark = f'"n": {turn},'.encode()
        until = time.monotonic() + 15
        waiting = set(seen)
        self.tell({"response": {"pad": "x" * pad, "n": turn, "end": 0}})
        with selectors.DefaultSelector() as selector:
            for link in seen:
                selector.register(link, selectors.EVENT_READ)
            while waiting:
                self.assertLess(time.monotonic(), until, f"{len(waiting)} have no {mark}")
                for key, _ in selector.select(1):
                    seen[key.fileobj] += key.fileobj.recv(1 << 17)
                    if mark in seen[key.fileobj][-256:]:
                        waiting.discard(key.fileobj)

    def memory(self):
        return int(self.proc("status").partition("VmRSS:")[2].split()[0]) << 10

    def proc(self, name):
        return pathlib.Path(f"/proc/{self.service.hub.process.pid}/{name}").read_text()

    def figure(self, name):
        text = self.service.get("/metrics").body.decode()
        return next(float(line.split()[-1]) for line in text.splitlines()
                    if line.startswith(name + " "))


class Stopping(unittest.TestCase):
    def test_feeds_end_with_the_hub_and_their_readers_are_told(self):
        pathlib.Path("feeder.py").write_text(FEEDER, encoding="utf-8")
        command = f"command: [python3, {os.path.abspath('feeder.py')}]"
        config = CONFIG.replace("FEEDER", command)
        with serve(config) as service:
            answer = service.post("/v1/requests?feed=true", '{"answers": [{"response": 1}]}',
                                  {"ce-type": "ticks", "Content-Type": "application/json"})
            url = answer.json()["status_url"]
            with service.stream(url + "/stream") as stream:
                self.assertEqual(data(stream.next()), 1)
                self.assertEqual(service.hub.stop(), 0)
                events = stream.rest()
        self.assertEqual([event["event"] for event in events], ["end"])
        self.assertEqual(events[0]["data"]["state"], "stopped")
        with serve(config) as service:  # and nobody knows it any more
            self.assertEqual(service.get(url).status, 404)


if __name__ == "__main__":
    unittest.main()
