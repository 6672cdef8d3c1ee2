"""Many connections, more events than the hub takes, and a stop in the middle of it."""

import json
import resource
import signal
import socket
import threading
import time
import unittest

from service import is_json, read_all, read_answer, serve

CONFIG = """
HUB
agents:
  out: {plugin: log, config: {level: debug}}
  worker: {plugin: exec, config: {WORKER}}
event_providers: {api: HTTP}
rules:
  - {id: show, on: shown, then: {agent: out, action: show}}
  - {id: work, on: work, then: {agent: worker, action: work}}
"""
DURABLE = "hub: {mode: durable, max_messages: 200}\nstore: {plugin: lmdb, config: {path: load.store}}"
SPARE = 200  # descriptors that are for other things


def connections_possible():
    """As many as this process, and so the hub that it starts, can have: 10,000 at most."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return 10000 if hard == resource.RLIM_INFINITY else min(10000, hard - SPARE)


class Load(unittest.TestCase):
    def test_events_are_answered_beside_thousands_of_idle_connections(self):
        count = connections_possible()
        with serve(CONFIG.replace("HUB", "")) as service:
            links = []
            for number in range(count):
                links.append(service.raw())
                if number % 3 == 1:
                    links[-1].sendall(b"GET /hea")
                elif number % 3 == 2:
                    links[-1].sendall(b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\n"
                                      b"ce-type: shown\r\nContent-Length: 10\r\n\r\n12345")
            over = service.connection()
            before = time.monotonic()
            for number in range(200):
                answer = service.event("shown", {"n": number}, "?wait=5s", over=over)
                self.assertEqual(answer.json()["state"], "done")
            self.assertLess(time.monotonic() - before, 20)
            values = service.call("GET", "/metrics", over=over).body.decode()
            self.assertIn(f"\natamo_http_connections {count + 1}\n", values)
            for link in links[2::3]:
                link.sendall(b"67890")
            for link in links[2::3]:
                self.assertTrue(link.recv(4096).startswith(b"HTTP/1.1 202"))
            for link in links:
                link.close()
            service.when(lambda: service.descriptors() < SPARE)
            over.close()
            self.assertEqual(service.stats()["accepted"], 200 + len(links[2::3]))

    def test_connections_beyond_the_limit_wait_and_the_others_are_served(self):
        with serve(CONFIG.replace("HUB", ""), options=", max_connections: 50") as service:
            over = service.connection()
            self.assertEqual(service.event("shown", over=over).status, 202)
            links = [service.raw() for _ in range(100)]
            for link in links:
                link.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertEqual(service.event("shown", over=over).status, 202)
            values = service.call("GET", "/metrics", over=over).body.decode()
            self.assertIn("\natamo_http_connections 50\n", values)
            for link in links:
                self.assertEqual(read_answer(link)[0], 200)
                link.close()
            over.close()

    def test_an_address_has_no_more_connections_than_it_may(self):
        options = ", max_connections_per_address: 20"
        with serve(CONFIG.replace("HUB", ""), options=options) as service:
            over = service.connection()
            self.assertEqual(service.event("shown", over=over).status, 202)
            links = [service.raw() for _ in range(30)]
            for link in links[20:]:
                self.assertEqual(read_all(link), b"")
            self.assertEqual(service.event("shown", over=over).status, 202)
            for link in links:
                link.close()
            over.close()

    def flood(self, service, seconds):
        """Post as fast as it goes, in several threads; returns the ids and how many were refused."""
        taken, refused, problems = [], [], []

        def post(name):
            over = service.connection()
            for number in range(100000):
                if time.monotonic() > until:
                    break
                answer = service.event("work", {}, over=over, id=f"{name}-{number}")
                if answer.status == 202:
                    taken.append(answer.json()["id"])
                elif answer.status in (429, 503) and int(answer.headers["retry-after"]) > 0:
                    refused.append(answer.status)
                else:
                    problems.append(answer)
            over.close()
        until = time.monotonic() + seconds
        posters = [threading.Thread(target=post, args=(name,)) for name in range(24)]
        for poster in posters:
            poster.start()
        for poster in posters:
            poster.join()
        self.assertEqual(problems, [])
        return taken, refused

    def send_batches(self, service, count, size):
        """Batches at once; nobody has waited for an answer yet. Their connections."""
        batch = json.dumps([{"specversion": "1.0", "type": "work"}] * size)
        overs = [service.connection() for _ in range(count)]
        for over in overs:
            over.request("POST", "/v1/events", batch,
                         {"Content-Type": "application/cloudevents-batch+json"})
        return overs

    def send_until_busy(self, service):
        """Post single events until one is answered 429; those that were not answered before."""
        waiting = []
        while True:
            link = service.raw()
            link.settimeout(0.5)
            link.sendall(b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nce-type: work\r\n"
                         b"Content-Length: 0\r\n\r\n")
            try:
                start = link.recv(12, socket.MSG_PEEK)
            except TimeoutError:
                start = b""
            link.settimeout(15)
            if start == b"HTTP/1.1 429":
                self.assertIn(b"\r\nRetry-After: 1\r\n", read_answer(link)[1])
                link.close()
                return waiting
            self.assertIn(start, (b"", b"HTTP/1.1 202"))
            waiting.append(link)
            self.assertLess(len(waiting), 10000)

    def check_books(self, service, taken):
        service.when(lambda: service.stats()["in_flight"] == 0)
        stats = service.stats()
        self.assertEqual((stats["accepted"], stats["done"], stats["finished"]), (taken,) * 3, stats)
        self.assertEqual((stats["dead"], stats["shed"]), (0, 0))

    def test_under_overload_what_was_taken_is_done_and_the_rest_is_told_to_come_later(self):
        with serve(CONFIG.replace("HUB", "hub: {max_messages: 100}")) as service:
            service.post("/v1/agents/worker:pause")
            overs = self.send_batches(service, 40, 500)
            waiting = self.send_until_busy(service)
            self.assertEqual(service.get("/health").status, 200)
            service.post("/v1/agents/worker:resume")
            taken, busy = 0, 0
            for link in waiting:
                status = read_answer(link)[0]
                taken += status == 202
                busy += status == 429
                link.close()
            for over in overs:
                response = over.getresponse()
                self.assertIn(response.status, (202, 422))
                for event in json.loads(response.read())["events"]:
                    taken += "message" in event
                    busy += event.get("status") == 429
                over.close()
            self.assertEqual(taken + busy, 20000 + len(waiting))
            self.assertGreater(busy, 0)
            self.check_books(service, taken)

    def test_a_durable_hub_under_a_flood_that_is_killed_loses_nothing_it_answered(self):
        with serve(CONFIG.replace("HUB", DURABLE)) as service:
            taken, _ = self.flood(service, 2)
            service.hub.stop(signal.SIGKILL)
        self.assertGreater(len(taken), 100)
        with serve(CONFIG.replace("HUB", DURABLE)) as service:
            service.when(lambda: service.stats()["in_flight"] == 0)
            for name in taken[:: max(1, len(taken) // 200)] + taken[-24:]:
                answer = service.get("/v1/events/" + name)
                self.assertEqual((answer.status, answer.json()["state"]), (200, "finished"), name)

    def test_memory_does_not_grow_with_large_events(self):
        with serve(CONFIG.replace("HUB", "hub: {max_messages: 100, recent: 8}"),
                   options=", history: 1024, max_body: 1MiB") as service:
            def resident():
                with open(f"/proc/{service.hub.process.pid}/statm", encoding="utf-8") as file:
                    return int(file.read().split()[1]) * resource.getpagesize()
            big = json.dumps({"specversion": "1.0", "type": "shown", "data": "x" * 900000})
            sizes = []
            for _ in range(16):
                overs = [service.connection() for _ in range(50)]
                for over in overs:
                    over.request("POST", "/v1/events", big,
                                 {"Content-Type": "application/cloudevents+json"})
                for over in overs:
                    self.assertIn(over.getresponse().status, (202, 429))
                    over.close()
                sizes.append(resident())
            self.assertLess(sizes[-1] - sizes[1], 300 << 20)


class Stop(unittest.TestCase):
    def test_a_stop_under_traffic_answers_or_closes_everything(self):
        with serve(CONFIG.replace("HUB", "")) as service:
            links = [service.raw() for _ in range(50)]
            for link in links[:25]:
                link.sendall(b"GET /v1/telemetry HTTP/1.1\r\nHost: localhost\r\n\r\n")
            links[-1].sendall(b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nce-type: shown\r\n"
                              b"Content-Length: 10\r\n\r\n12345")
            with service.stream("/v1/telemetry") as stream:
                stream.hello()
                service.event("shown")
                stream.until(lambda event: is_json(event, step="finished"))
                before = time.monotonic()
                code = service.hub.stop()
                self.assertLess(time.monotonic() - before, 8)
                self.assertEqual(code, 0)
                stream.rest()
            for link in links:
                link.settimeout(5)
                try:
                    while link.recv(65536):
                        pass
                except ConnectionResetError:
                    pass
                link.close()
            with self.assertRaises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", int(service.address[10:])), 5)


if __name__ == "__main__":
    unittest.main()
