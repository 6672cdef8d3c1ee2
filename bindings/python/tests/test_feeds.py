"""Feeds of a Python program: responses go on until it wants no more."""

import itertools
import unittest

from hubs import LIMIT_S, Gate, atamo, open_hub, until


@atamo.agent
def ticks(action):
    """As fast as it can be taken."""
    for number in itertools.count():
        if action.cancelled:
            return
        action.respond(number)


@atamo.agent
def three(action):
    yield from ("one", "two", "three")


class Prices(atamo.Agent):
    """Responds with what the test pushes, from the test's own thread."""

    def __init__(self):
        self.open = []
        self.cancelled = []

    def handle(self, action):
        self.open.append(action)
        return atamo.LATER

    def cancel(self, action, reason):
        self.cancelled.append(action)
        action.done()


class Feeds(unittest.TestCase):
    def test_a_feed_goes_on_until_it_is_left(self):
        with open_hub(ticks) as hub, hub.client() as client:
            with client.feed("ticks") as feed:
                got = [reply.json() for reply in itertools.islice(feed, 5000)]
            hub.wait_idle(LIMIT_S)
            self.assertEqual(got, list(range(5000)))
            self.assertEqual(hub.stats()["cancelled"], 1)
            self.assertEqual(hub.stats()["feeds"], 0)

    def test_a_feed_ends_when_its_agents_have_no_more(self):
        with open_hub(three) as hub, hub.client() as client:
            feed = client.feed("three", parts=True)
            *data, part = feed
        self.assertEqual([reply.json() for reply in data], ["one", "two", "three"])
        self.assertEqual((part.kind, feed.end.status), (atamo.ReplyKind.PART, 0))

    def test_an_action_knows_that_a_feed_is_wanted(self):
        wants = []

        @atamo.agent
        def look(action):
            wants.append(action.wants_feed)

        with open_hub(look) as hub, hub.client() as client:
            list(client.feed("look"))
            client.request("look").result()
        self.assertEqual(wants, [True, False])

    def test_updates_are_pushed_from_a_thread_of_the_program(self):
        prices = Prices()
        with open_hub(prices) as hub, hub.client() as client:
            feed = client.feed("prices")
            until(lambda: prices.open)
            for price in range(3):
                prices.open[0].respond(price)
            self.assertEqual([feed.next().json() for _ in range(3)], [0, 1, 2])
            feed.cancel()
            until(lambda: prices.cancelled)
            self.assertTrue(prices.open[0].is_settled)

    def test_an_agent_waits_for_a_program_that_does_not_take(self):
        sent = []

        @atamo.agent
        def counts(action):
            for number in range(100):
                action.respond(number)
                sent.append(number)

        with open_hub(counts) as hub, hub.client() as client:
            feed = client.feed("counts", queue=8)
            until(lambda: len(sent) >= 8, client)
            self.assertLess(len(sent), 20)
            self.assertEqual([reply.json() for reply in feed], list(range(100)))
            self.assertEqual(hub.stats()["replies_lost"], 0)

    def test_an_inline_agent_is_told_busy_and_then_that_there_is_room(self):
        steps = []

        class Pushes(atamo.Agent):
            mode = atamo.INLINE

            def handle(self, action):
                self.number = 0
                self.push(action)
                return atamo.LATER

            def push(self, action):
                self.action = action
                try:
                    while self.number < 50:
                        action.respond(self.number)
                        self.number += 1
                    action.done()
                except atamo.Busy:
                    steps.append("busy")

            def room(self, action):
                steps.append("room")
                self.push(action)

        with open_hub(Pushes) as hub, hub.client() as client:
            self.assertEqual([reply.json() for reply in client.feed("pushes", queue=4)], list(range(50)))
        self.assertEqual(steps[:2], ["busy", "room"])

    def test_what_an_inline_handler_returns_waits_for_room(self):
        @atamo.agent(mode=atamo.INLINE)
        def two(action):
            action.respond("first")
            return "second"

        with open_hub(two) as hub, hub.client() as client:
            feed = client.feed("two", queue=1)
            hub_has_tried = lambda: hub.agents()[0]["running"] == 1
            until(hub_has_tried)
            self.assertEqual([reply.json() for reply in feed], ["first", "second"])

    def test_the_oldest_give_way_and_the_gap_is_counted(self):
        done = Gate()

        @atamo.agent
        def counts(action):
            for number in range(100):
                action.respond(number)
            done.open()

        with open_hub(counts) as hub, hub.client() as client:
            feed = client.feed("counts", queue=10, slow=atamo.Slow.OLDEST)
            done.wait()
            hub.wait_idle(LIMIT_S)
            replies = list(feed)
        self.assertEqual(replies[-1].json(), 99)
        self.assertLessEqual(len(replies), 11)
        self.assertEqual(len(replies) + sum(reply.lost for reply in replies), 100)

    def test_of_each_key_the_latest_arrives(self):
        done = Gate()

        @atamo.agent
        def prices(action):
            for number in range(100):
                for name in "EUR", "USD":
                    action.respond(number, key=name)
            done.open()

        with open_hub(prices) as hub, hub.client() as client:
            feed = client.feed("prices", queue=10, slow=atamo.Slow.LATEST)
            done.wait()
            hub.wait_idle(LIMIT_S)
            latest = {reply.key: reply.json() for reply in feed}
        self.assertEqual(latest, {"EUR": 99, "USD": 99})

    def test_a_feed_is_left_and_taken_up_again(self):
        prices = Prices()
        with open_hub(prices) as hub:
            with hub.client() as client:
                feed = client.feed("prices", keep=60)
                until(lambda: prices.open)
                prices.open[0].respond("before")
                self.assertEqual(feed.next().json(), "before")
                number = feed.leave()
            prices.open[0].respond("meanwhile")
            with hub.client() as client:
                feed = client.attach(number)
                self.assertEqual(feed.next().json(), "meanwhile")
                prices.open[0].respond("after")
                self.assertEqual(feed.next().json(), "after")
                feed.cancel()

    def test_feeds_go_to_functions_too(self):
        seen = []
        with open_hub(ticks) as hub, hub.client() as client:
            feed = client.feed("ticks", on_replies=seen.extend)
            until(lambda: len(seen) > 1000, client)
            feed.cancel()
            count = len(seen)
            client.dispatch(0)
            self.assertEqual(len(seen), count)
        self.assertEqual([reply.json() for reply in seen], list(range(count)))

    def test_many_feeds_of_one_client_each_get_everything(self):
        with open_hub(three) as hub, hub.client() as client:
            feeds = [client.feed("three") for _ in range(200)]
            self.assertTrue(all(len(feed.result()) == 3 for feed in feeds))

    def test_closing_while_a_feed_pours_is_safe(self):
        with open_hub(ticks) as hub:
            for _ in range(10):
                client = hub.client()
                feed = client.feed("ticks")
                feed.next()
                client.close()
                self.assertRaises(atamo.Closed, feed.result)


if __name__ == "__main__":
    unittest.main()
