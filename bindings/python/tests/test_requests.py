"""Requests of a Python program: answers, their ends, cancelling, leaving, slow programs."""

import datetime
import select
import signal
import threading
import time
import unittest

from hubs import LIMIT_S, QUIET, Gate, atamo, open_hub, until

THREE = """
agents: {quick: {plugin: quick}, other: {plugin: other}, slow: {plugin: slow}}
rules:
  - id: all
    on: ask
    then: [{agent: quick, action: x}, {agent: other, action: x}, {agent: slow, action: x}]
"""


@atamo.agent
def quick(action):
    return "quick"


@atamo.agent
def other(action):
    return "other"


@atamo.agent
def echo(action):
    return action.body


@atamo.agent
def count(action):
    yield from range(action.json())


class Waits(atamo.Agent):
    """Works until nobody wants it any more."""

    def handle(self, action):
        while action.sleep(LIMIT_S):
            pass


class Slow(Waits):
    pass


def open_three():
    return atamo.Hub(THREE, plugins=[quick, other, Slow], **QUIET)


class Events(unittest.TestCase):
    def test_fields_of_an_event_arrive(self):
        when = datetime.datetime(2026, 11, 21, 12, tzinfo=datetime.timezone.utc)
        with open_hub(echo) as hub, hub.client() as client:
            number = client.submit("echo", b"\xff\0", id="e-1", source="shop", subject="box", time=when,
                                   datacontenttype="application/x", binary=True, user="ada",
                                   extensions={"colour": "red"})
            client.submit("echo", id="e-2")
            hub.wait_idle(LIMIT_S)
            event, bare = hub.why(number)["event"], hub.why("e-2")["event"]
        self.assertEqual(event["data_base64"], "/wA=")
        self.assertEqual([event[name] for name in ("id", "source", "subject", "user", "colour", "time")],
                         ["e-1", "shop", "box", "ada", "red", "2026-11-21T12:00:00+00:00"])
        for name in ("subject", "user", "colour", "data_base64", "time"):
            self.assertNotIn(name, bare)

    def test_a_whole_event_may_be_a_dict_or_its_text(self):
        with open_hub(echo) as hub, hub.client() as client:
            whole = {"id": "e-1", "source": "shop", "type": "echo", "data": {"n": 1}}
            text = b'{"specversion":"1.0","id":"e-2","source":"shop","type":"echo","data":{"n":2}}'
            self.assertEqual(client.request(whole).result()[0].json(), {"n": 1})
            self.assertEqual(client.request(text).result()[0].json(), {"n": 2})
            with self.assertRaisesRegex(atamo.Invalid, "JSON|json|expected"):
                client.submit(b"{nonsense")
            with self.assertRaises(TypeError):
                client.submit(whole, 7)

    def test_what_is_no_field_and_what_is_no_event_are_told(self):
        with open_hub(echo) as hub, hub.client() as client:
            with self.assertRaisesRegex(TypeError, "colour"):
                client.submit("echo", colour="red")
            with self.assertRaises(atamo.Invalid):
                client.submit("")
            self.assertEqual(client.request("echo", 1).result()[0].json(), 1)

    def test_a_delayed_event_waits(self):
        with open_hub(echo) as hub, hub.client() as client:
            client.submit("echo", delay=1000)
            request = client.request("echo", 1, delay=0.001)
            self.assertEqual(len(request.result()), 1)
            self.assertEqual(hub.stats()["done"], 1)
            hub.close(limit=0)

    def test_many_events_are_submitted_at_once_each_of_them_once_and_in_order(self):
        seen = []

        @atamo.agent
        def note(action):
            seen.append(action.json())

        with open_hub(note, settings="{max_messages: 100}", keys=", workers: 1, queue: 100000") as hub:
            with hub.client() as client:
                self.assertEqual(client.submit_all(("note", n) for n in range(20_000)), 20_000)
                self.assertEqual(client.submit_all([]), 0)
                self.assertEqual(client.submit_all([("nothing", None)]), 1)
                hub.wait_idle(LIMIT_S)
        self.assertEqual(seen, list(range(20_000)))

    def test_one_of_many_that_cannot_be_is_told_after_those_before_it(self):
        with open_hub(echo) as hub, hub.client() as client:
            with self.assertRaises(atamo.Invalid):
                client.submit_all([("echo", 1), ("echo", 2), ("", 3), ("echo", 4)])
            with self.assertRaises(ValueError):
                client.submit_all([("echo", 1, 2)])
            with self.assertRaises(TypeError):
                client.submit_all([({"type": "echo"}, 1)])
            hub.wait_idle(LIMIT_S)
            self.assertEqual(hub.stats()["accepted"], 2)

    def test_a_full_hub_is_busy_and_may_be_waited_for(self):
        go = Gate()

        @atamo.agent
        def stuck(action):
            go.wait()

        with open_hub(stuck, settings="{max_messages: 8}") as hub, hub.client() as client:
            taken = 0
            for room_ms in (0, 10):  # filled again when the hub has taken all that it takes
                with self.assertRaises(atamo.Busy):
                    while taken < 1_000_000:
                        client.submit("stuck", wait=room_ms / 1000)
                        taken += 1
                until(lambda: hub.stats()["in_flight"] == 8)
            with self.assertRaises(atamo.Busy):
                client.submit("stuck", wait=0.01)
            threading.Timer(0.02, go.open).start()
            client.submit("stuck", wait=None)
            hub.wait_idle(LIMIT_S)
            self.assertEqual(hub.stats()["finished"], taken + 1)


class Answers(unittest.TestCase):
    def test_all_agents_answer_or_the_first_or_a_quorum(self):
        with open_three() as hub, hub.client() as client:
            first = client.request("ask", answers=1)
            self.assertIn(first.result()[0].json(), ("quick", "other"))
            self.assertTrue(first.end.partial)
            two = client.request("ask", answers=2)
            self.assertEqual({reply.agent for reply in two.result()}, {"quick", "other"})
            self.assertEqual((two.end.done, two.end.actions), (2, 3))

    def test_a_timeout_keeps_what_came_until_then(self):
        with open_three() as hub, hub.client() as client:
            with self.assertRaises(TimeoutError) as caught:
                client.request("ask", timeout=0.2).result()
        self.assertEqual({reply.json() for reply in caught.exception.replies}, {"quick", "other"})

    def test_parts_tell_the_end_of_each_agent(self):
        with open_hub(count) as hub, hub.client() as client:
            *data, part = client.request("count", 2, parts=True)
        self.assertEqual([reply.json() for reply in data], [0, 1])
        self.assertEqual((part.kind, part.status, part.agent), (atamo.ReplyKind.PART, 0, "count"))

    def test_ends_are_errors_named_after_their_status(self):
        with open_hub(echo) as hub, hub.client() as client:
            with self.assertRaises(atamo.NotFound):
                client.request("nothing").result()
            with self.assertRaises(atamo.NotFound):
                list(client.request("nothing"))

    def test_accepted_is_an_end_where_nothing_more_is_wanted(self):
        with open_three() as hub, hub.client() as client:
            self.assertEqual(client.request("ask", until_accepted=True).result(), [])
            hub.close(limit=0)

    def test_replies_go_to_a_function_in_batches_with_the_end_last(self):
        batches = []
        with open_hub(count) as hub, hub.client() as client:
            request = client.request("count", 500, on_replies=batches.append)
            until(lambda: request.end is not None, client)
            with self.assertRaises(TypeError):
                request.next()
        replies = [reply for batch in batches for reply in batch]
        self.assertEqual([reply.json() for reply in replies[:-1]], list(range(500)))
        self.assertEqual(replies[-1].kind, atamo.ReplyKind.END)
        self.assertLess(len(batches), 500)

    def test_what_a_function_raises_comes_out_of_dispatch_and_nothing_is_lost(self):
        seen = []

        def fussy(replies):
            seen.extend(replies)
            if len(seen) == len(replies):
                raise LookupError("the first batch")

        with open_hub(echo) as hub, hub.client() as client:
            requests = [client.request("echo", number, on_replies=fussy) for number in range(50)]
            hub.wait_idle(LIMIT_S)
            with self.assertRaisesRegex(LookupError, "the first batch"):
                client.dispatch(0)
            until(lambda: all(request.end for request in requests), client)
        self.assertEqual(len(seen), 100)

    def test_a_plain_loop_waits_for_the_descriptor(self):
        got = []
        with open_hub(echo) as hub, hub.client() as client:
            client.request("echo", 1, on_replies=got.extend)
            poller = select.poll()
            poller.register(client.fd, select.POLLIN)
            while not got or got[-1].kind is not atamo.ReplyKind.END:
                self.assertTrue(poller.poll(LIMIT_S * 1000))
                client.dispatch()
        self.assertEqual(got[0].json(), 1)

    def test_an_interrupt_in_a_callback_comes_out_of_dispatch_and_nothing_is_lost(self):
        class Alarm(Exception):
            pass

        def rise(*_):
            raise Alarm

        before = signal.signal(signal.SIGUSR1, rise)
        self.addCleanup(signal.signal, signal.SIGUSR1, before)
        read = atamo._inbox.read_replies
        self.addCleanup(setattr, atamo._inbox, "read_replies", read)

        def interrupted(replies, count):
            atamo._inbox.read_replies = read
            signal.raise_signal(signal.SIGUSR1)

        with open_hub(echo) as hub, hub.client() as client:
            requests = [client.request("echo", number) for number in range(10)]
            hub.wait_idle(LIMIT_S)
            atamo._inbox.read_replies = interrupted
            with self.assertRaises(Alarm):
                client.dispatch(0)
            self.assertEqual([request.result()[0].json() for request in requests], list(range(10)))

    def test_an_interrupt_while_waiting_loses_nothing(self):
        with open_hub(echo, Waits) as hub, hub.client() as client:
            client.request("waits")
            request = client.request("waits")
            threading.Timer(0.05, lambda: signal.raise_signal(signal.SIGINT)).start()
            with self.assertRaises(KeyboardInterrupt):
                request.result()
            request.cancel()
            self.assertEqual(client.request("echo", 1).result()[0].json(), 1)


class Cancelling(unittest.TestCase):
    def test_no_callback_follows_a_cancel(self):
        seen = []
        with open_hub(count) as hub, hub.client() as client:
            requests = [client.request("count", 50, on_replies=seen.extend) for _ in range(20)]
            hub.wait_idle(LIMIT_S)
            for request in requests:
                request.cancel()
            client.dispatch(0)
            self.assertEqual(seen, [])
            requests[0].cancel()

    def test_a_callback_may_cancel_its_own_request_and_others(self):
        requests, seen = [], []

        def stop(replies):
            seen.append(replies[0].request)
            for request in requests:
                request.cancel()

        with open_hub(echo) as hub, hub.client() as client:
            requests += [client.request("echo", number, on_replies=stop) for number in range(10)]
            hub.wait_idle(LIMIT_S)
            client.dispatch(0)
            client.dispatch(0)
        self.assertEqual(len(seen), 1)

    def test_what_is_cancelled_is_not_heard_of_though_its_replies_were_there_already(self):
        requests, seen = [], []

        def cancel_one(replies):
            requests[2].cancel()

        def hear(replies):
            seen.extend(reply.json() for reply in replies if reply.kind is atamo.ReplyKind.DATA)

        with open_hub(echo, keys=", workers: 1") as hub, hub.client() as client:
            for number, function in enumerate([cancel_one, hear, hear, hear]):
                requests.append(client.request("echo", number, on_replies=function))
            hub.wait_idle(LIMIT_S)
            until(lambda: requests[3].end, client)
        self.assertEqual(seen, [1, 3])

    def test_a_callback_may_close_its_client(self):
        with open_hub(echo) as hub:
            client = hub.client()
            called = []

            def close(number):
                def hear(replies):
                    called.append(number)
                    client.close()
                return hear

            for number in range(5):
                client.request("echo", number, on_replies=close(number))
            hub.wait_idle(LIMIT_S)
            client.dispatch(0)
            self.assertEqual(len(called), 1)
            with self.assertRaises(atamo.Closed):
                client.dispatch()

    def test_leaving_the_block_cancels_the_request(self):
        with open_hub(Waits) as hub, hub.client() as client:
            with client.request("waits") as request:
                until(lambda: hub.stats()["running"] == 1)
            with self.assertRaises(atamo.Closed):
                request.result()
            hub.wait_idle(LIMIT_S)
            self.assertEqual(hub.stats()["cancelled"], 1)

    def test_a_detached_request_leaves_its_actions_alone(self):
        go = Gate()

        @atamo.agent
        def works(action):
            go.wait()

        with open_hub(works) as hub, hub.client() as client:
            with client.request("works", detached=True):
                until(lambda: hub.stats()["running"] == 1)
            go.open()
            hub.wait_idle(LIMIT_S)
            self.assertEqual((hub.stats()["done"], hub.stats()["cancelled"]), (1, 0))


class Leaving(unittest.TestCase):
    def test_another_client_takes_up_what_the_first_one_left(self):
        go = Gate()

        @atamo.agent
        def answer(action):
            action.respond("one")
            go.wait()
            return "two"

        with open_hub(answer) as hub, hub.client() as first, hub.client() as second:
            request = first.request("answer", keep=60)
            self.assertEqual(request.next().json(), "one")
            number = request.leave()
            go.open()
            taken = second.attach(number)
            self.assertEqual([reply.json() for reply in taken.result()], ["two"])
            with self.assertRaises(atamo.NotFound):
                first.attach(number)

    def test_a_function_takes_up_what_was_made_to_be_iterated(self):
        got = []
        with open_hub(count) as hub:
            with hub.client() as first:
                number = first.request("count", 300, keep=60, queue=4).id
            with hub.client() as second:
                request = second.attach(number, on_replies=got.extend)
                until(lambda: request.end is not None, second)
        self.assertEqual([reply.json() for reply in got[:-1]], list(range(300)))

    def test_many_kept_requests_outlive_their_client(self):
        with open_hub(echo) as hub:
            for _ in range(5):
                with hub.client() as first:
                    numbers = [first.request("echo", at, keep=60 * (at % 3 > 0)).id for at in range(100)]
                with hub.client() as second:
                    for at, number in enumerate(numbers):
                        if at % 3 > 0:
                            self.assertEqual(second.attach(number).result()[0].json(), at)

    def test_only_what_is_kept_can_be_left(self):
        with open_hub(Waits) as hub, hub.client() as client:
            request = client.request("waits")
            with self.assertRaises(atamo.Unsupported):
                request.leave()
            request.cancel()


class Threads(unittest.TestCase):
    def test_threads_with_clients_of_their_own(self):
        wrong = []

        def work(hub):
            with hub.client() as client:
                for number in range(100):
                    if client.request("echo", number).result()[0].json() != number:
                        wrong.append(number)

        with open_hub(echo) as hub:
            threads = [threading.Thread(target=work, args=(hub,)) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual((wrong, hub.stats()["done"]), ([], 400))

    def test_threads_that_share_a_client_each_get_their_own_answers(self):
        wrong, done = [], []

        def work(client, first):
            for number in range(first, first + 100):
                if client.request("echo", number).result()[0].json() != number:
                    wrong.append(number)
            done.append(first)

        with open_hub(echo) as hub, hub.client() as client:
            threads = [threading.Thread(target=work, args=(client, at * 1000)) for at in range(3)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        self.assertEqual((wrong, len(done)), ([], 3))


class Telemetry(unittest.TestCase):
    def test_a_client_watches_its_own_messages(self):
        heard = []
        with open_hub(echo) as hub, hub.client() as client, hub.client() as stranger:
            client.watch(lambda records, lost: heard.extend(records), own=True)
            stranger.submit("echo", 1)
            number = client.submit("echo", 2, id="mine")
            until(lambda: atamo.Step.FINISHED in [record.step for record in heard], client)
            client.watch(None)
            self.assertEqual({record.message for record in heard}, {number})
            self.assertEqual(heard[0][0], atamo.Step.ADMITTED)
            self.assertEqual((heard[0].type, heard[0].text), ("echo", "mine"))
            heard.clear()
            client.submit("echo", 3)
            hub.wait_idle(LIMIT_S)
            client.dispatch(0)
            self.assertEqual(heard, [])


if __name__ == "__main__":
    unittest.main()
