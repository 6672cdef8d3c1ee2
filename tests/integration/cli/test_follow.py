"""`atamo watch` and `atamo request`: what comes bit by bit, over connections that are lost."""

import json
import queue
import signal
import subprocess
import threading
import unittest

from mock_hub import Answer, Cut, MockHub, Stream, event, problem
from program import ATAMO, LIMIT_S, LINE_LIMIT_S, atamo

UUID = "01990000-0000-7000-8000-000000000001"
REQUEST = {"request_id": UUID, "status_url": f"/v1/requests/{UUID}",
           "stream_url": f"/v1/requests/{UUID}/stream"}
PATH = f"/v1/requests/{UUID}"
FAILED, USAGE, NOT_FOUND, DENIED, TIMEOUT = 1, 2, 3, 4, 5


def step(number, name="attempt", **more):
    return event("step", {"t_us": 1700000000000000 + number, "step": name, "message": UUID} | more,
                 number)


def data(sequence, value, **more):
    return {"sequence": sequence, "kind": "data", "agent": "a", "rule": "r", "data": value} | more


class Following:
    """A command that runs until the test has seen enough."""

    def __init__(self, *words):
        self.process = subprocess.Popen([ATAMO, *words], text=True, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        self.lines, self.said = queue.Queue(), []
        self.threads = [threading.Thread(target=self._read, args=(self.process.stdout, self.lines.put)),
                        threading.Thread(target=self._read, args=(self.process.stderr, self.said.append))]

    @staticmethod
    def _read(stream, put):
        for line in stream:
            put(line.rstrip("\n"))
        put(None)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for thread in self.threads:
            thread.join()
        self.process.stdout.close()
        self.process.stderr.close()

    def next(self):
        return self.lines.get(timeout=LINE_LIMIT_S)

    def stop(self, number):
        self.process.send_signal(number)
        return self.process.wait(LIMIT_S)


class Watch(unittest.TestCase):
    def test_prints_a_line_for_each_step_with_what_is_known_of_it(self):
        first = step(1, agent="big", type="tell", rule="r", attempt=2, reason="no answer")
        stream = Stream(": ping\n\n", first, step(2, "evaluated", rules=1, actions=2), stays=True)
        with MockHub({"GET /v1/telemetry": stream}) as hub, \
                Following("watch", "--url", hub.url) as watch:
            self.assertEqual(watch.next(), f"22:13:20.000001 {UUID} attempt      big tell (rule r) "
                                           "attempt 2: no answer")
            self.assertIn("1 rule matched, 2 actions", watch.next())

    def test_gives_its_filters_to_the_hub(self):
        filters = {"type": "order.*", "agent": "a b", "rule": "r", "user": "u", "message": UUID,
                   "step": "dead", "since": "oldest"}
        words = [word for name, value in filters.items() for word in (f"--{name}", value)]
        with MockHub({"GET /v1/telemetry": problem(403, "no")}) as hub:
            self.assertEqual(atamo("watch", "--url", hub.url, *words).returncode, DENIED)
            self.assertEqual(hub.asked[0].query, filters)

    def test_begins_again_after_the_last_whole_step_when_the_connection_is_lost(self):
        cut = step(2)[:-6]  # its id has come, its end has not
        streams = [Stream(step(1), cut), Cut(), problem(503, "full"), Stream(step(2), stays=True)]
        with MockHub({"GET /v1/telemetry": streams}) as hub, \
                Following("watch", "--url", hub.url) as watch:
            self.assertIn("13:20.000001", watch.next())
            self.assertIn("13:20.000002", watch.next())
            asked = hub.wait_for(4)
            self.assertEqual([one.headers["Last-Event-ID"] for one in asked],
                             [None, "1", "1", "1"])
            self.assertIn("atamo: the connection was lost; again in 0.25 s", watch.said)
            self.assertIn("atamo: the connection was lost; again in 0.5 s", watch.said)

    def test_ends_when_the_hub_refuses_it_later(self):
        streams = [Stream(step(1)), problem(401, "the token was revoked")]
        with MockHub({"GET /v1/telemetry": streams}) as hub:
            result = atamo("watch", "--url", hub.url)
        self.assertEqual(result.returncode, DENIED)
        self.assertIn("the token was revoked", result.stderr)

    def test_ends_if_the_first_connection_fails(self):
        self.assertEqual(atamo("watch", "--url", "http://127.0.0.1:1").returncode, FAILED)
        with MockHub({"GET /v1/telemetry": problem(503, "full")}) as hub:
            self.assertEqual(atamo("watch", "--url", hub.url).returncode, FAILED)
        with MockHub({"GET /v1/telemetry": Answer({"no": "stream"})}) as hub:
            result = atamo("watch", "--url", hub.url)
            self.assertIn("no stream of events", result.stderr)

    def test_says_gaps_and_passes_over_what_is_broken_or_unknown(self):
        stream = Stream(event("gap", {"lost": 7}), event("news", {}), "event: step\ndata: {\n\n",
                        step(3), stays=True)
        with MockHub({"GET /v1/telemetry": stream}) as hub:
            with Following("watch", "--url", hub.url) as watch:
                self.assertIn("attempt", watch.next())
            self.assertEqual(watch.said[:2], ["7 steps were lost here",
                                              "atamo: a step that is no JSON was passed over"])

    def test_is_json_lines_for_scripts(self):
        with MockHub({"GET /v1/telemetry": Stream(event("gap", {"lost": 7}), step(1), stays=True)}) \
                as hub, Following("watch", "--json", "--url", hub.url) as watch:
            self.assertEqual(json.loads(watch.next()), {"lost": 7})
            self.assertEqual(json.loads(watch.next())["step"], "attempt")

    def test_ends_at_a_line_without_end(self):
        with MockHub({"GET /v1/telemetry": Stream("data: " + "x" * (2 << 20), stays=True)}) as hub:
            result = atamo("watch", "--url", hub.url)
        self.assertEqual(result.returncode, FAILED)
        self.assertIn("answers more than this program takes", result.stderr)


class Request(unittest.TestCase):
    def request(self, routes, *words):
        with MockHub({"POST /v1/requests": Answer(REQUEST, 202)} | routes) as hub:
            return atamo("request", "--url", hub.url, *words), hub.asked

    def test_prints_what_agents_answer_as_it_comes(self):
        progress = {"sequence": 2, "kind": "progress", "agent": "a", "progress": 0.5, "text": "half"}
        answers = [Answer({"state": "open", "responses": [data(1, {"n": 1.50}), progress]}),
                   Answer({"state": "done", "responses": [progress, data(3, "text\n!")]})]
        result, asked = self.request({f"GET {PATH}": answers}, "ask", '{"q": 1}', "--timeout", "5s")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stdout, '{"n": 1.5}\ntext\n!\n')
        self.assertEqual(result.stderr, "a  50 % half\n")
        self.assertEqual(asked[0].query, {"timeout": "5s"})
        self.assertEqual(asked[0].json["data"], {"q": 1})
        self.assertEqual([one.query["after"] for one in asked[1:]], ["0", "2"])

    def test_comes_through_one_stream_if_it_is_asked_to(self):
        streams = [Stream(event("data", data(1, 1), 1)),
                   Stream(event("data", data(2, 2), 2), event("end", {"state": "done"}), stays=True)]
        result, asked = self.request({f"GET {PATH}/stream": streams}, "ask", "--stream")
        self.assertEqual((result.returncode, result.stdout), (0, "1\n2\n"))
        self.assertEqual(asked[2].headers["Last-Event-ID"], "1")

    def test_ends_with_a_code_that_says_how_it_ended(self):
        for state, code in (("done", 0), ("failed", FAILED), ("unmatched", FAILED),
                            ("timeout", TIMEOUT), ("cancelled", FAILED), ("refused", FAILED)):
            body = {"state": state, "detail": "because", "responses": []}
            result, _ = self.request({f"GET {PATH}": Answer(body)}, "ask")
            self.assertEqual(result.returncode, code)
            if code != 0:
                self.assertIn(f"the request has ended: {state}: because", result.stderr)

    def test_is_json_lines_for_scripts(self):
        body = {"state": "failed", "detail": "no \"agent\"", "responses": [data(1, 1)]}
        result, _ = self.request({f"GET {PATH}": Answer(body)}, "ask", "--json")
        self.assertEqual([json.loads(line) for line in result.stdout.splitlines()],
                         [data(1, 1), {"state": "failed", "detail": "no \"agent\""}])

    def test_is_cancelled_when_it_is_interrupted(self):
        stream = Stream(event("data", data(1, 1), 1), stays=True)
        routes = {"POST /v1/requests": Answer(REQUEST, 202), f"GET {PATH}/stream": stream,
                  f"DELETE {PATH}": Answer(status=204)}
        with MockHub(routes) as hub:
            with Following("request", "ask", "--stream", "--url", hub.url) as request:
                self.assertEqual(request.next(), "1")
                self.assertEqual(request.stop(signal.SIGINT), FAILED)
            self.assertEqual(hub.asked[-1].method, "DELETE")
            self.assertIn("atamo: the request was cancelled", request.said)

    def test_says_what_it_wants_of_the_hub(self):
        body = {"state": "done", "responses": []}
        _, asked = self.request({f"GET {PATH}": Answer(body)}, "ask", "--feed", "--parts",
                                "--answers", "2", "--slow", "latest", "--queue", "9", "--keep", "1m")
        self.assertEqual(asked[0].query, {"feed": "true", "parts": "true", "answers": "2",
                                          "slow": "latest", "queue": "9", "keep": "1m"})
        _, asked = self.request({f"GET {PATH}": Answer(body)}, "ask", "--detached")
        self.assertEqual(asked[0].query, {"detached": "true"})

    def test_tells_gaps_and_parts_and_how_many_actions_were_done(self):
        part = {"sequence": 6, "kind": "part", "agent": "a", "state": "failed", "detail": "no"}
        body = {"state": "failed", "detail": "no", "done": 1, "actions": 2, "lost": 4,
                "responses": [data(5, "five") | {"lost": 4}, part]}
        result, _ = self.request({f"GET {PATH}": Answer(body)}, "ask")
        self.assertEqual((result.returncode, result.stdout), (FAILED, "five\n"))
        self.assertEqual(result.stderr, "4 responses were lost here\na has ended: failed: no\natamo: "
                         "the request has ended: failed: no (1 of 2 actions done)\n")
        result, _ = self.request({f"GET {PATH}": Answer(body)}, "ask", "--json")
        self.assertEqual(json.loads(result.stdout.splitlines()[-1]),
                         {"state": "failed", "detail": "no", "done": 1, "actions": 2, "lost": 4})

    def test_that_is_kept_is_left_by_a_terminal_that_goes_and_taken_up_by_its_id(self):
        stream = Stream(event("data", data(1, 1), 1), stays=True)
        routes = {"POST /v1/requests": Answer(REQUEST, 202), f"GET {PATH}/stream": stream,
                  f"DELETE {PATH}": Answer(status=204),
                  f"GET {PATH}": Answer({"state": "done", "responses": [data(1, 1), data(2, 2)]})}
        with MockHub(routes) as hub:
            for keep, last in (("1m", "GET"), (None, "DELETE")):
                words = ["--keep", keep] if keep else []
                with Following("request", "ask", "--stream", "--url", hub.url, *words) as request:
                    self.assertEqual(request.next(), "1")
                    self.assertEqual(request.stop(signal.SIGHUP), FAILED)
                self.assertEqual(hub.asked[-1].method, last)
                self.assertEqual(f"atamo: to come back: atamo request --attach {UUID}"
                                 in request.said, keep is not None)
            result = atamo("request", "--attach", UUID, "--url", hub.url)
            self.assertEqual((result.returncode, result.stdout), (0, "1\n2\n"))
            for words in (["ask"], ["--feed"], ["--user", "anna"], ["--queue", "1"]):
                result = atamo("request", "--attach", UUID, "--url", hub.url, *words)
                self.assertEqual(result.returncode, USAGE, words)
                self.assertIn("nothing else that would make one", result.stderr)
            self.assertEqual(atamo("request", "--url", hub.url).returncode, USAGE)
        result, _ = self.request({}, "--attach", "00000000-0000-0000-0000-000000000000")
        self.assertEqual(result.returncode, NOT_FOUND)

    def test_that_the_hub_does_not_name_is_a_failure(self):
        result, _ = self.request({"POST /v1/requests": Answer({}, 202)}, "ask")
        self.assertEqual(result.returncode, FAILED)
        self.assertEqual(atamo("request", "ask", "--timeout", "soon").returncode, USAGE)


if __name__ == "__main__":
    unittest.main()
