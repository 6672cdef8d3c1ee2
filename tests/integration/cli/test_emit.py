"""`atamo emit`: an event, or a file of them, to a hub."""

import json
import os
import pathlib
import pty
import subprocess
import unittest

from mock_hub import Answer, Cut, MockHub, problem
from program import ATAMO, LIMIT_S, atamo

UUID = "01990000-0000-7000-8000-000000000001"
TAKEN = {"id": "o-1", "message": UUID, "durability": "synced", "duplicate": False,
         "status_url": f"/v1/events/{UUID}"}
FAILED, USAGE, NOT_FOUND, DENIED, TIMEOUT, INVALID = 1, 2, 3, 4, 5, 6


def lines(count):
    return "".join(json.dumps({"specversion": "1.0", "type": "a.b", "id": str(number)}) + "\n"
                   for number in range(count))


def take(asked):
    """Accept a batch; what has "bad" in it is refused, what has "again" came before."""
    events = []
    for event in asked.json:
        if "bad" in event:
            events.append({"status": 422, "detail": f"{event['bad']} is wrong"})
        else:
            events.append(TAKEN | {"id": event["id"], "status": 202,
                                   "duplicate": "again" in event})
    if any(event["status"] != 202 for event in events):
        return problem(422, "some events were refused", events=events)
    return Answer({"events": events}, 202)


class OneEvent(unittest.TestCase):
    def emit(self, *words, answer=Answer(TAKEN, 202), text=None):
        with MockHub({"POST /v1/events": answer}) as hub:
            result = atamo("emit", "--url", hub.url, *words, text=text)
            return result, hub.asked[0] if hub.asked else None

    def test_has_the_attributes_that_are_given_and_no_others(self):
        result, asked = self.emit("order.created", '{"total": 1.50}', "--source", "/shop",
                                  "--subject", "A-17", "--id", "o-1", "--key", "k", "--user", "ann")
        self.assertEqual(result.stdout, f"o-1 accepted (synced), message {UUID}\n")
        self.assertEqual(asked.headers["Content-Type"], "application/cloudevents+json")
        self.assertEqual(asked.json, {
            "specversion": "1.0", "type": "order.created", "source": "/shop", "subject": "A-17",
            "id": "o-1", "partitionkey": "k", "user": "ann", "data": {"total": 1.5}})
        self.assertIn(b"1.50", asked.body)
        result, asked = self.emit("order.created", "--quiet")
        self.assertEqual((result.returncode, result.stdout), (0, ""))
        self.assertEqual(asked.json, {"specversion": "1.0", "type": "order.created"})
        self.assertNotIn("Authorization", asked.headers)

    def test_may_have_its_data_from_stdin(self):
        _, asked = self.emit("a.b", "-", text='["x"]\n')
        self.assertEqual(asked.json["data"], ["x"])

    def test_is_not_sent_if_its_data_is_not_json(self):
        result, asked = self.emit("a.b", "hello")
        self.assertEqual(result.returncode, INVALID)
        self.assertIn("DATA is not JSON", result.stderr)
        self.assertIsNone(asked)

    def test_that_came_before_is_said_to(self):
        result, _ = self.emit("a.b", answer=Answer(TAKEN | {"duplicate": True}, 202))
        self.assertIn("was accepted before", result.stdout)

    def test_is_json_for_scripts(self):
        result, _ = self.emit("a.b", "--json")
        self.assertEqual(json.loads(result.stdout), TAKEN)

    def test_that_is_waited_for_ends_as_its_actions_do(self):
        action = {"ordinal": 1, "rule": "r", "agent": "big", "action": "tell", "state": "dead",
                  "attempt": 3, "reason": "no answer"}
        for state, code in (("done", 0), ("failed", FAILED), ("unmatched", 0), ("open", TIMEOUT)):
            body = {"id": "o-1", "message": UUID, "state": state, "actions": [action]}
            result, asked = self.emit("a.b", "--wait", "5s", answer=Answer(body))
            self.assertEqual(asked.query, {"wait": "5s"})
            self.assertEqual(result.returncode, code)
            self.assertRegex(result.stdout, rf"o-1 (is still )?{state}\n")
            self.assertIn("big tell (rule r) attempt 3: no answer", result.stdout)

    def test_needs_a_type(self):
        self.assertEqual(atamo("emit").returncode, USAGE)
        self.assertEqual(atamo("emit", "a.b", "--wait", "soon").returncode, USAGE)


class File(unittest.TestCase):
    def emit(self, answer, *words, text=None):
        with MockHub({"POST /v1/events": answer}) as hub:
            result = atamo("emit", "--url", hub.url, "--file", *words, text=text)
            return result, hub.asked

    def test_is_sent_in_batches(self):
        pathlib.Path("events.jsonl").write_text(lines(1000), encoding="utf-8")
        result, asked = self.emit(take, "events.jsonl")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stdout, "1000 accepted\n")
        self.assertEqual([event["id"] for one in asked for event in one.json],
                         [str(number) for number in range(1000)])
        self.assertEqual(len(asked), 4)
        self.assertEqual(asked[0].headers["Content-Type"], "application/cloudevents-batch+json")

    def test_may_be_stdin_with_blank_lines_and_no_end_of_the_last(self):
        result, asked = self.emit(take, "-", "--json", text='\n{"id":"1"}\r\n  \n{"id":"2","again":1}')
        self.assertEqual(json.loads(result.stdout), {"accepted": 2, "duplicates": 1, "refused": 0})
        self.assertEqual([event["id"] for event in asked[0].json], ["1", "2"])

    def test_that_was_sent_before_is_said_to(self):
        result, _ = self.emit(take, "-", text='{"id":"1","again":1}\n{"id":"2"}\n')
        self.assertEqual(result.stdout, "2 accepted, 1 of them had come before\n")

    def test_from_a_pipe_is_sent_on_when_nothing_more_comes_for_the_moment(self):
        with MockHub({"POST /v1/events": take}) as hub:
            with subprocess.Popen([ATAMO, "emit", "--url", hub.url, "--file", "-"], text=True,
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
                process.stdin.write('{"id": "1"}\n')
                process.stdin.flush()
                hub.wait_for(1)
                process.stdin.write('{"id": "2"}\n')
                process.stdin.flush()
                hub.wait_for(2)
                process.stdin.close()
                self.assertEqual(process.wait(LIMIT_S), 0)

    def test_says_what_was_refused_with_its_line_and_goes_on(self):
        text = '{"id":"1"}\n{"id":"2","bad":"type"}\n{"id":"3"}\n'
        result, _ = self.emit(take, "-", text=text)
        self.assertEqual(result.returncode, INVALID)
        self.assertEqual(result.stdout, "2 accepted, 1 refused\n")
        self.assertIn("-:2: refused: type is wrong", result.stderr)

    def test_that_is_no_json_sends_what_was_before_it(self):
        result, asked = self.emit(take, "-", text='{"id":"1"}\n{"id":\n{"id":"3"}\n')
        self.assertEqual(result.returncode, INVALID)
        self.assertIn("-:2: not JSON", result.stderr)
        self.assertEqual([event["id"] for one in asked for event in one.json], ["1"])

    def test_waits_for_a_hub_that_is_busy_and_sends_again_only_what_it_did_not_take(self):
        def half(asked):
            events = [TAKEN | {"status": 202, "id": event["id"]} for event in asked.json]
            events[1] = {"status": 503, "detail": "full"}
            return problem(422, "some", events=events, headers={"Retry-After": "1"})

        busy = problem(429, "too fast", headers={"Retry-After": "1"})
        away = problem(503, "full", headers={"Retry-After": "1"})
        result, asked = self.emit([busy, away, half, take], "-", text=lines(3))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("3 accepted", result.stdout)
        self.assertEqual(result.stderr.count("the hub is busy"), 1)
        self.assertEqual([len(one.json) for one in asked], [3, 3, 3, 1])
        self.assertEqual(asked[3].json[0]["id"], "1")

    def test_says_from_which_line_on_nobody_knows_when_the_hub_goes_away(self):
        result, asked = self.emit([take, Cut()], "-", text=lines(300))
        self.assertEqual(result.returncode, FAILED)
        self.assertIn("-: from line 257 on nobody knows; before it all was dealt with",
                      result.stderr)
        self.assertIn("256 accepted", result.stdout)
        self.assertEqual(len(asked), 2)

    def test_is_refused_as_a_whole_if_the_hub_says_so(self):
        result, _ = self.emit(problem(403, "the scope events:write is missing"), "-", text=lines(1))
        self.assertEqual(result.returncode, DENIED)
        self.assertIn("events:write", result.stderr)

    def test_answers_that_do_not_tell_what_became_of_each_are_failures(self):
        result, _ = self.emit(Answer({"events": []}, 202), "-", text=lines(2))
        self.assertEqual(result.returncode, FAILED)
        self.assertIn("does not say what became of the events", result.stderr)

    def test_that_is_not_there_or_has_a_type_beside_it_is_an_error(self):
        self.assertEqual(atamo("emit", "--file", "none.jsonl").returncode, NOT_FOUND)
        self.assertEqual(atamo("emit", "a.b", "--file", "none.jsonl").returncode, USAGE)
        self.assertEqual(atamo("emit", "--key", "k", "--file", "none.jsonl").returncode, USAGE)
        self.assertEqual(atamo("emit", "--wait", "1s", "--file", "none.jsonl").returncode, USAGE)

    def test_has_a_bar_on_a_terminal_which_is_gone_at_the_end(self):
        pathlib.Path("events.jsonl").write_text(lines(600), encoding="utf-8")
        busy = problem(429, "too fast", headers={"Retry-After": "1"})
        with MockHub({"POST /v1/events": [busy, take]}) as hub:
            ours, theirs = pty.openpty()
            with subprocess.Popen([ATAMO, "emit", "--url", hub.url, "--file", "events.jsonl"],
                                  stdout=subprocess.DEVNULL, stderr=theirs) as process:
                os.close(theirs)
                said = b""
                while piece := read(ours):
                    said += piece
                os.close(ours)
                self.assertEqual(process.wait(LIMIT_S), 0)
        self.assertRegex(said.decode(), r"emit \[#+ *\] +\d+ %")
        self.assertTrue(said.endswith(b"\r\x1b[K"), said)


def read(fd):
    try:
        return os.read(fd, 65536)
    except OSError:  # Linux says EIO when the other side is closed
        return b""


if __name__ == "__main__":
    unittest.main()
