"""Memory and handles after many requests: back where they started."""

import gc
import os
import pathlib
import unittest

from hubs import LIMIT_S, QUIET, atamo, config, open_hub

ROUND = 4_000
ROUNDS = 6
SLACK = 2 << 20  # what an allocator keeps by chance
PAGE = os.sysconf("SC_PAGE_SIZE")


@atamo.agent
def answer(action):
    action.progress(0.5, "half")
    return action.body


@atamo.agent
def later(action):
    action.done()
    return atamo.LATER


def resident():
    gc.collect()
    return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * PAGE


def objects():
    gc.collect()
    return len(gc.get_objects())


class Memory(unittest.TestCase):
    def one_round(self, hub, client):
        data = b"x" * 2000
        requests = []
        for number in range(ROUND):
            if number % 4 == 0:
                requests.append(client.request("answer", data, keep=number % 8 and 0.001))
            elif number % 4 == 1:
                client.request("later", {"n": number}, subject="box", on_replies=len)
            elif number % 4 == 2:
                client.request("answer", data, wait=None).cancel()
            else:
                client.submit("answer", data, wait=None, extensions={"n": str(number)})
        for request in requests:
            self.assertEqual(request.result()[-1].body, data)
        hub.wait_idle(LIMIT_S)
        client.dispatch(0)

    def test_many_requests_leave_nothing_behind(self):
        with open_hub(answer, later) as hub, hub.client() as client:
            for _ in range(2):
                self.one_round(hub, client)
            memory, count = resident(), objects()
            for _ in range(ROUNDS):
                self.one_round(hub, client)
            self.assertLess(objects() - count, ROUND // 10)
            self.assertLess(resident() - memory, SLACK)
            self.assertEqual((hub.stats()["requests"], len(client._requests)), (0, 0))

    def test_reloads_leave_no_instances_behind(self):
        class Changes(atamo.Agent):
            options = [atamo.Option("n", "A number.", "integer", default="0")]

            def handle(self, action):
                return self.config["n"]

        text = config("changes", keys=", config: {n: %d}")
        with atamo.Hub(text % 0, plugins=[Changes], **QUIET) as hub, hub.client() as client:
            for number in range(1, 20):
                hub.reload(text % number)
                self.assertEqual(client.request("changes").result()[0].json(), number)
            gc.collect()
            alive = [each for each in gc.get_objects() if isinstance(each, Changes)]
            self.assertLess(len(alive), 5)

    def test_hubs_and_clients_leave_nothing_behind(self):
        def life():
            with open_hub(answer) as hub:
                for _ in range(10):
                    hub.client().request("answer", 1)

        life()
        descriptors, count, memory = len(os.listdir("/proc/self/fd")), objects(), resident()
        for _ in range(20):
            life()
        self.assertEqual(len(os.listdir("/proc/self/fd")), descriptors)
        self.assertLess(objects() - count, 100)
        self.assertLess(resident() - memory, SLACK)


if __name__ == "__main__":
    unittest.main()
