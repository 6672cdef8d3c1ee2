"""A client in an asyncio loop."""

import asyncio
import unittest

from hubs import LIMIT_S, atamo, open_hub


@atamo.agent
def echo(action):
    return action.body


@atamo.agent
def ticks(action):
    number = 0
    while action.sleep(0.0005):
        yield number
        number += 1


class Asyncio(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.hub = self.enterContext(open_hub(echo, ticks, settings="{max_messages: 64}"))
        self.client = self.enterContext(self.hub.client())

    async def test_a_request_is_awaited(self):
        replies = await self.client.request("echo", {"n": 1})
        self.assertEqual([reply.json() for reply in replies], [{"n": 1}])

    async def test_many_requests_are_awaited_together(self):
        async def ask(number):
            replies = await self.client.request("echo", number)
            return replies[0].json()

        self.assertEqual(await asyncio.gather(*map(ask, range(50))), list(range(50)))

    async def test_errors_are_raised_where_it_is_awaited(self):
        with self.assertRaises(atamo.NotFound):
            await self.client.request("nothing")
        with self.assertRaises(TimeoutError):
            await self.client.request("ticks", timeout=0.02)

    async def test_a_feed_is_iterated_while_the_loop_goes_on(self):
        turns = 0

        async def count():
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        counting = asyncio.create_task(count())
        got = []
        with self.client.feed("ticks") as feed:
            async for reply in feed:
                got.append(reply.json())
                if len(got) == 20:
                    break
        counting.cancel()
        self.assertEqual(got, list(range(20)))
        self.assertGreater(turns, 20)

    async def test_a_task_that_is_cancelled_cancels_its_request(self):
        async def ask():
            return await self.client.request("ticks", timeout=None)

        task = asyncio.create_task(ask())
        while self.hub.stats()["running"] == 0:
            await asyncio.sleep(0.001)
        task.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await task
        self.assertEqual(self.hub.stats()["cancelled"], 1)

    async def test_functions_are_called_in_the_loop(self):
        ended = asyncio.Event()

        def hear(replies):
            asyncio.get_running_loop()
            if replies[-1].kind is atamo.ReplyKind.END:
                ended.set()

        self.client.join_loop()
        self.client.request("echo", 1, on_replies=hear)
        await asyncio.wait_for(ended.wait(), LIMIT_S)

    async def test_what_a_function_raises_goes_to_the_loop_and_the_rest_still_comes(self):
        told, failed, ended = [], asyncio.Event(), asyncio.Event()

        def tell(loop, what):
            told.append(what)
            failed.set()

        asyncio.get_running_loop().set_exception_handler(tell)

        def fails(replies):
            raise LookupError("in a callback")

        def ends(replies):
            ended.set()

        self.client.join_loop()
        for function in fails, ends:
            self.client.request("echo", 1, on_replies=function)
        for event in failed, ended:  # in whatever order the agent answers
            await asyncio.wait_for(event.wait(), LIMIT_S)
        self.assertEqual(str(told[0]["exception"]), "in a callback")

    async def test_a_full_hub_is_waited_for(self):
        self.hub.pause("echo")
        taken = 0
        with self.assertRaises(atamo.Busy):
            while True:
                self.client.submit("echo", taken)
                taken += 1
        room = asyncio.create_task(self.client.room())
        await asyncio.sleep(0.01)
        self.assertFalse(room.done())
        self.hub.resume("echo")
        await asyncio.wait_for(room, LIMIT_S)
        self.client.submit("echo", taken)
        self.hub.wait_idle(LIMIT_S)
        self.assertEqual(self.hub.stats()["finished"], taken + 1)

    async def test_closing_the_client_wakes_who_awaits(self):
        async def ask():
            return await self.client.request("ticks", timeout=None)

        task = asyncio.create_task(ask())
        await asyncio.sleep(0)
        self.client.close()
        with self.assertRaises(atamo.Closed):
            await asyncio.wait_for(task, LIMIT_S)


if __name__ == "__main__":
    unittest.main()
