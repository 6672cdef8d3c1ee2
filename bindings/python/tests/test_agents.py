"""Agents and auditors that are written in Python."""

import json
import threading
import unittest

from hubs import LIMIT_S, QUIET, Gate, atamo, config, open_hub, until


def ask(hub, name, data=None, **options):
    """The replies to one request."""
    with hub.client() as client:
        return client.request(name, data, **options).result()


def reason_of(hub, name):
    """Why an agent's action failed."""
    with hub.client() as client:
        client.submit(name)
        hub.wait_idle(LIMIT_S)
    return [letter["text"] for letter in hub.dead_letters()]


class Returns(unittest.TestCase):
    def test_what_a_handler_returns_is_the_response(self):
        answers = {"text": "é", "bytes": b"\0\1", "dict": {"a": [1]}, "zero": 0, "none": None}

        @atamo.agent
        def answer(action):
            return answers[action.json()]

        with open_hub(answer) as hub:
            got = {name: [reply.body for reply in ask(hub, "answer", name)] for name in answers}
        self.assertEqual(got, {"text": ['"é"'.encode()], "bytes": [b"\0\1"], "dict": [b'{"a":[1]}'],
                               "zero": [b"0"], "none": []})

    def test_a_generator_responds_with_each_thing_it_yields(self):
        @atamo.agent
        def count(action):
            yield from range(action.json())

        with open_hub(count) as hub:
            self.assertEqual([reply.json() for reply in ask(hub, "count", 4)], [0, 1, 2, 3])

    def test_inline_and_pool_agents_run_where_they_say(self):
        threads = {}

        @atamo.agent(mode=atamo.INLINE)
        def inline(action):
            threads.setdefault("inline", set()).add(threading.get_ident())

        @atamo.agent
        def pool(action):
            threads.setdefault("pool", set()).add(threading.get_ident())

        with open_hub(inline, pool) as hub, hub.client() as client:
            for _ in range(50):
                client.submit("inline")
                client.submit("pool")
            hub.wait_idle(LIMIT_S)
        self.assertEqual(len(threads["inline"]), 1)
        self.assertFalse(threads["inline"] & threads["pool"])
        self.assertNotIn(threading.get_ident(), threads["inline"] | threads["pool"])

    def test_pool_handlers_may_block_at_the_same_time(self):
        meeting = threading.Barrier(4)

        @atamo.agent
        def meet(action):
            meeting.wait(LIMIT_S)

        with open_hub(meet) as hub, hub.client() as client:
            for _ in range(4):
                client.submit("meet")
            hub.wait_idle(LIMIT_S)
            self.assertEqual(hub.stats()["done"], 4)

    def test_an_action_knows_what_is_asked(self):
        seen = []

        @atamo.agent
        def look(action):
            seen.append((action.facts, action.body, action.event(), action.wants_responses,
                         action.wants_feed))

        with open_hub(look) as hub:
            ask(hub, "look", {"n": 1}, id="e-1", user="ada", subject="box")
        (facts, body, event, wants_responses, wants_feed), = seen
        self.assertEqual((facts.type, facts.agent, facts.rule, facts.user), ("do", "look", "look", "ada"))
        self.assertEqual((facts.attempt, json.loads(body)), (1, {"n": 1}))
        self.assertEqual((event["id"], event["subject"], event["data"]), ("e-1", "box", {"n": 1}))
        self.assertEqual((wants_responses, wants_feed), (True, False))

    def test_progress_comes_before_the_end(self):
        @atamo.agent
        def load(action):
            action.progress(0.5, "half of it")
            action.respond(b"all", key="box-7")

        with open_hub(load) as hub, hub.client() as client:
            half, whole = client.request("load")
        self.assertEqual((half.kind, half.progress, half.text),
                         (atamo.ReplyKind.PROGRESS, 0.5, "half of it"))
        self.assertEqual((whole.kind, whole.body, whole.key), (atamo.ReplyKind.DATA, b"all", "box-7"))

    def test_a_follow_up_event_is_caused_by_the_action(self):
        seen = []

        @atamo.agent
        def first(action):
            action.emit("second", {"n": 1}, subject="box")

        @atamo.agent
        def second(action):
            seen.append(action.event())

        with open_hub(first, second) as hub, hub.client() as client:
            client.submit("first", id="cause")
            hub.wait_idle(LIMIT_S)
        self.assertEqual((seen[0]["causationid"], seen[0]["subject"]), ("cause", "box"))


class Outcomes(unittest.TestCase):
    def test_an_exception_fails_for_good_with_its_text_and_its_place_in_the_log(self):
        lines = []

        @atamo.agent
        def broken(action):
            raise KeyError("shelf 7")

        with open_hub(broken, log=lambda *line: lines.append(line)) as hub:
            self.assertEqual(reason_of(hub, "broken"), ["'shelf 7'"])
        self.assertRegex(next(line for _, agent, line in lines if agent == "broken"),
                         r"KeyError: 'shelf 7' \(.*test_agents\.py:\d+\)")

    def test_a_failure_that_is_meant_is_not_in_the_log(self):
        lines = []

        @atamo.agent
        def refuse(action):
            raise atamo.Fail("not on Sundays")

        with open_hub(refuse, log=lambda *line: lines.append(line)) as hub:
            self.assertEqual(reason_of(hub, "refuse"), ["not on Sundays"])
        self.assertFalse([line for line in lines if line[1] == "refuse"])

    def test_retry_is_tried_again(self):
        @atamo.agent
        def shaky(action):
            if action.attempt < 3:
                raise atamo.Retry("not yet", after=0.001)
            return action.attempt

        with open_hub(shaky, keys=", retry: {attempts: 5, base: 1ms}") as hub:
            self.assertEqual(ask(hub, "shaky")[0].json(), 3)
            self.assertEqual(hub.stats()["retries"], 2)

    def test_a_client_is_told_that_an_action_failed(self):
        @atamo.agent
        def broken(action):
            action.respond("the first half")
            raise atamo.Fail("no second half")

        with open_hub(broken) as hub, self.assertRaises(atamo.Io) as caught:
            ask(hub, "broken")
        self.assertIn("no second half", str(caught.exception))
        self.assertEqual([reply.json() for reply in caught.exception.replies], ["the first half"])

    def test_what_a_handler_settles_itself_is_left_at_that(self):
        @atamo.agent
        def fails(action):
            action.fail("enough")
            with self.assertRaises(atamo.Gone):
                action.done()
            with self.assertRaises(atamo.Gone):
                action.respond("late")

        with open_hub(fails) as hub:
            self.assertEqual(reason_of(hub, "fails"), ["enough"])
            self.assertEqual(hub.stats()["stale_settles"], 0)


class LaterOn(unittest.TestCase):
    def test_another_thread_settles_it_later(self):
        taken = []

        @atamo.agent(mode=atamo.INLINE)
        def later(action):
            taken.append(action)
            return atamo.LATER

        def work():
            until(lambda: len(taken) == 3)
            for number, action in enumerate(taken):
                action.respond(number, wait=None)
                (action.done if number < 2 else lambda: action.fail("the third"))()

        thread = threading.Thread(target=work)
        thread.start()
        with open_hub(later) as hub, hub.client() as client:
            requests = [client.request("later") for _ in range(3)]
            got = [[reply.json() for reply in request.result()] for request in requests[:2]]
            with self.assertRaisesRegex(atamo.Io, "the third"):
                requests[2].result()
        thread.join()
        self.assertEqual(got, [[0], [1]])

    def test_an_action_that_is_forgotten_is_handed_back(self):
        @atamo.agent
        def forgets(action):
            return None if action.attempt == 2 else atamo.LATER

        with open_hub(forgets, keys=", retry: {attempts: 3, base: 1ms}") as hub:
            self.assertEqual(ask(hub, "forgets"), [])
            self.assertEqual(hub.stats()["retries"], 1)

    def test_what_waits_when_the_hub_stops_is_handed_back(self):
        kept = []

        class Keeps(atamo.Agent):
            def handle(self, action):
                kept.append(action)
                return atamo.LATER

        hub = open_hub(Keeps)
        client = hub.client()
        client.submit("keeps")
        until(lambda: kept)
        hub.close(limit=0.01)
        self.assertTrue(kept[0].is_settled)
        with self.assertRaises(atamo.Closed):
            kept[0].respond("too late")


class Cancelling(unittest.TestCase):
    def test_a_handler_hears_that_nobody_wants_it_any_more(self):
        started, ended, reasons = Gate(), Gate(), []

        class Works(atamo.Agent):
            def handle(self, action):
                started.open()
                while action.sleep(LIMIT_S):
                    pass
                ended.open()

            def cancel(self, action, reason):
                reasons.append((action.cancelled, reason))

        with open_hub(Works) as hub, hub.client() as client:
            request = client.request("works")
            started.wait()
            request.cancel()
            ended.wait()
        self.assertEqual(reasons, [(True, "client")])

    def test_what_is_cancelled_before_a_worker_has_time_for_it_is_not_begun(self):
        started, go, begun = Gate(), Gate(), []

        @atamo.agent
        def works(action):
            begun.append(action.json())
            started.open()
            go.wait()

        with open_hub(works, keys=", workers: 1") as hub, hub.client() as client:
            client.submit("works", 1)
            started.wait()
            request = client.request("works", 2)
            until(lambda: hub.stats()["running"] == 2)
            request.cancel()
            go.open()
            hub.wait_idle(LIMIT_S)
            client.request("works", 3).result()
        self.assertEqual(begun, [1, 3])

    def test_a_generator_is_closed_when_its_client_has_gone(self):
        closed = Gate()

        @atamo.agent
        def numbers(action):
            try:
                number = 0
                while action.sleep(0.001):
                    yield number
                    number += 1
            finally:
                closed.open()

        with open_hub(numbers) as hub, hub.client() as client:
            with client.feed("numbers") as feed:
                self.assertEqual(next(iter(feed)).json(), 0)
            closed.wait()


class Life(unittest.TestCase):
    def test_options_are_read_checked_and_have_defaults(self):
        class Tells(atamo.Agent):
            """Tells its options."""

            options = [atamo.Option("greeting", "Something.", required=True),
                       atamo.Option("pause", "Something.", "duration", default="250ms"),
                       atamo.Option("room", "Something.", "size", default="64KiB"),
                       atamo.Option("loud", "Something.", "boolean", default="false"),
                       atamo.Option("share", "Something.", "number", default="0.5"),
                       atamo.Option("times", "Something.", "integer", default="3"),
                       atamo.Option("to", "Something.", "list"),
                       atamo.Option("names", "Something.", "map"),
                       atamo.Option("tone", "Something.", "choice", default="low",
                                    choices=["low", "high"]),
                       atamo.Option("any", "Something.", "json")]

            def handle(self, action):
                return self.config | {"me": self.name}

        keys = ", config: {greeting: hi, loud: true, to: [a, b], names: {x: y}, any: {z: [1]}}"
        with open_hub(Tells, keys=keys) as hub:
            self.assertEqual(ask(hub, "tells")[0].json(), {
                "greeting": "hi", "pause": 0.25, "room": 65536, "loud": True, "share": 0.5, "times": 3,
                "to": ["a", "b"], "names": {"x": "y"}, "tone": "low", "any": {"z": [1]}, "me": "tells"})
        with self.assertRaisesRegex(atamo.ConfigError, "greeting"):
            open_hub(Tells)

    def test_what_start_raises_is_a_problem_of_the_configuration(self):
        class Refuses(atamo.Agent):
            def start(self):
                raise ConnectionError("the printer is not there")

            def handle(self, action):
                return None

        with self.assertRaisesRegex(atamo.ConfigError, "the printer is not there"):
            open_hub(Refuses)

    def test_each_instance_has_an_object_of_its_own_that_is_started_and_closed(self):
        steps = []

        class Named(atamo.Agent):
            def start(self):
                steps.append(("start", self.name))

            def handle(self, action):
                return self.name

            def drain(self):
                steps.append(("drain", self.name))

            def close(self):
                steps.append(("close", self.name))

        text = """
agents: {one: {plugin: named}, two: {plugin: named}}
rules:
  - {id: r, on: go, then: [{agent: one, action: x}, {agent: two, action: x}]}
"""
        with atamo.Hub(text, plugins=[Named], **QUIET) as hub:
            self.assertEqual({reply.json() for reply in ask(hub, "go")}, {"one", "two"})
        for name in "one", "two":
            self.assertEqual([step for step, of in steps if of == name], ["start", "drain", "close"])

    def test_an_object_of_the_program_is_the_agent_itself(self):
        class Counts(atamo.Agent):
            def __init__(self):
                self.count = 0

            def handle(self, action):
                self.count += 1

        counts = Counts()
        with open_hub(counts, keys=", workers: 1") as hub, hub.client() as client:
            for _ in range(20):
                client.submit("counts")
            hub.wait_idle(LIMIT_S)
        self.assertEqual(counts.count, 20)


class Auditing(unittest.TestCase):
    def test_an_auditor_hears_each_step_with_names_and_texts(self):
        heard, quiet = [], Gate()

        class Hears(atamo.Auditor):
            def records(self, records, lost):
                heard.extend(records)

            def idle(self):
                quiet.open()

        @atamo.agent
        def broken(action):
            raise atamo.Fail("x" * 200)

        text = config("broken") + "\nauditors: {hears: {plugin: hears}}\n"
        with atamo.Hub(text, plugins=[broken, Hears], **QUIET) as hub, hub.client() as client:
            number = client.submit("broken", id="e-1", user="ada")
            hub.wait_idle(LIMIT_S)
            quiet.wait()
        mine = {record.step: record for record in heard if record.message == number}
        self.assertEqual((mine[atamo.Step.ADMITTED].text, mine[atamo.Step.ADMITTED].user), ("e-1", "ada"))
        dead = mine[atamo.Step.DEAD]
        self.assertEqual((dead.agent, dead.rule, dead.reason, dead.text),
                         ("broken", "broken", "failed", "x" * 200))

    def test_an_auditor_that_raises_is_named_in_the_log_and_the_hub_goes_on(self):
        lines = []

        class Stumbles(atamo.Auditor):
            def records(self, records, lost):
                raise OSError("disk on fire")

        text = "auditors: {stumbles: {plugin: stumbles}}\nrules: []"
        with atamo.Hub(text, plugins=[Stumbles], log=lambda *line: lines.append(line)) as hub:
            with hub.client() as client:
                client.submit("any")
                hub.wait_idle(LIMIT_S)
        self.assertTrue([line for line in lines if line[1] == "stumbles" and "disk on fire" in line[2]])


if __name__ == "__main__":
    unittest.main()
