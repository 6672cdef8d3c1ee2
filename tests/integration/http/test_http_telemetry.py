"""GET /v1/telemetry: who listens gets every step once, or is told how many are missing."""

import http.client
import json
import socket
import threading
import time
import unittest

from service import Stream, is_json, serve

CONFIG = """
agents:
  out: {plugin: log, config: {level: debug}}
  bad: {plugin: flaky, config: {outcome: fail}}
event_providers: {api: HTTP}
rules:
  - {id: show, on: "shown.*", then: {agent: out, action: show}}
  - {id: spoil, on: bad, then: {agent: bad, action: spoil, as: operator}}
"""
BATCH = {"Content-Type": "application/cloudevents-batch+json"}


def batch(count, kind="shown.many"):
    return json.dumps([{"specversion": "1.0", "type": kind, "data": n} for n in range(count)])


def finished(event):
    return event["data"].get("step") == "finished"


class Telemetry(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.context = serve(CONFIG)
        cls.service = cls.context.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.context.__exit__(None, None, None)

    def test_every_step_of_a_message_comes_in_order(self):
        with self.service.stream("/v1/telemetry") as stream:
            stream.hello()
            self.assertEqual(stream.response.getheader("Content-Type"), "text/event-stream")
            uuid = self.service.event("shown.one", {}, id="t-1").json()["message"]
            events = stream.until(lambda event: is_json(event, step="finished", message=uuid))
        own = [event for event in events if event["data"]["message"] == uuid]
        steps = [event["data"]["step"] for event in own if event["data"]["step"] != "delivered"]
        self.assertEqual(steps, ["admitted", "evaluated", "attempt", "done", "finished"])
        self.assertEqual({event["event"] for event in own}, {"step"})
        self.assertEqual((own[0]["data"]["id"], own[0]["data"]["type"]), ("t-1", "shown.one"))
        times = [event["data"]["t_us"] for event in own]
        self.assertEqual(times, sorted(times))


    def test_filters_let_through_only_what_was_asked_for(self):
        uuid = self.service.event("shown.filter", {}, "?wait=5s", id="f-1").json()["message"]
        self.service.event("bad", {}, "?wait=5s", id="f-2")

        def told(query, is_last):
            with self.service.stream("/v1/telemetry?since=oldest&" + query) as stream:
                return [event["data"] for event in stream.until(is_last)]

        of_one = told("message=" + uuid, finished)
        self.assertEqual({step["message"] for step in of_one}, {uuid})
        self.assertEqual(told("message=f-1", finished), of_one)
        of_type = told("type=shown.filter", finished)
        self.assertEqual([step["step"] for step in of_type], ["admitted", "evaluated", "finished"])
        dead = told("agent=bad", lambda event: is_json(event, step="dead"))
        self.assertEqual({(step["agent"], step["rule"]) for step in dead}, {("bad", "spoil")})
        self.assertEqual(told("user=operator", lambda event: is_json(event, step="dead")), dead)
        dead = told("rule=spoil&step=dead", lambda event: True)
        self.assertEqual((dead[0]["step"], dead[0]["outcome"], dead[0]["text"]),
                         ("dead", "fail", "fails for good, as configured"))
        for query in ("message=nobody", "message=01a1fd46-8196-700c-8003-d5daa7c5a6e3x"):
            self.assertEqual(self.service.get("/v1/telemetry?" + query).status, 404)
        self.assertEqual(self.service.get("/v1/telemetry?type=" + "x" * 200).status, 400)

    def test_a_reader_that_comes_back_gets_every_step_once(self):
        poster = threading.Thread(target=lambda: [self.service.post("/v1/events", batch(50), BATCH)
                                                  for _ in range(40)])
        with self.service.stream("/v1/telemetry") as stream:
            stream.hello()
            poster.start()
            events = [stream.next() for _ in range(100)]
        while len(events) < 5000:
            last = {"Last-Event-ID": events[-1]["id"]}
            with self.service.stream("/v1/telemetry", last) as stream:
                events += [stream.next() for _ in range(700)]
        poster.join()
        self.assertEqual({event["event"] for event in events}, {"step"})
        numbers = [int(event["id"]) for event in events]
        self.assertEqual(numbers, list(range(numbers[0], numbers[0] + len(numbers))))
        with self.service.stream("/v1/telemetry?since=oldest") as stream:
            again = stream.until(lambda event: event["id"] == str(numbers[-1]))
        self.assertEqual(again[-len(events):], events)

    def test_a_number_of_another_life_begins_with_the_oldest(self):
        self.service.event("shown.one", {}, "?wait=5s")
        for last in ("99999999999", "18446744073709551615", "-1", "x", ""):
            with self.service.stream("/v1/telemetry", {"Last-Event-ID": last}) as stream:
                first = stream.next()
            self.assertEqual((first["event"], first["id"]), ("step", "1"), last)

    def test_a_reader_that_goes_away_is_forgotten(self):
        def connections():
            text = self.service.get("/metrics").body.decode()
            return int(text.split("\natamo_http_connections ")[1].split()[0])
        before = connections()
        readers = [self.service.stream("/v1/telemetry") for _ in range(20)]
        for reader in readers:
            reader.__enter__().hello()
        self.assertEqual(connections(), before + 20)
        for reader in readers:
            reader.__exit__(None, None, None)
        self.service.when(lambda: self.service.event("shown.one") and connections() <= before)

    def test_a_head_request_of_a_stream_ends_at_once(self):
        answer = self.service.call("HEAD", "/v1/telemetry")
        self.assertEqual((answer.status, answer.body), (200, b""))


class SlowReader(unittest.TestCase):
    def test_a_reader_that_does_not_read_holds_nobody_up_and_gets_a_counted_gap(self):
        with serve(CONFIG, options=", history: 1024") as service:
            link = socket.socket()
            link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            host, _, port = service.address.rpartition(":")
            link.connect((host, int(port)))
            link.settimeout(15)
            link.sendall(b"GET /v1/telemetry HTTP/1.1\r\nHost: localhost\r\n\r\n")
            service.when(lambda: "telemetry" if link.recv(1, socket.MSG_PEEK) else None)
            before = time.monotonic()
            for _ in range(120):
                self.assertEqual(service.post("/v1/events", batch(500), BATCH).status, 202)
            last = service.event("shown.last", {}, "?wait=10s")
            self.assertEqual(last.json()["state"], "done")
            self.assertLess(time.monotonic() - before, 30)
            stats = service.stats()
            self.assertEqual((stats["accepted"], stats["done"]), (60001, 60001))
            response = http.client.HTTPResponse(link, method="GET")
            response.begin()
            message = last.json()["message"]
            events = Stream(response).until(lambda event: is_json(event, step="finished",
                                                                  message=message))
            link.close()
        wanted, lost = None, 0
        for event in events:
            if event["event"] == "gap":
                self.assertGreater(event["data"]["lost"], 0)
                lost += event["data"]["lost"]
                wanted = None if wanted is None else wanted + event["data"]["lost"]
                continue
            self.assertIn(wanted, (None, int(event["id"])))
            wanted = int(event["id"]) + 1
        self.assertGreater(lost, 100000)


if __name__ == "__main__":
    unittest.main()
