"""A hub inside a Python program: configurations, its state, its end."""

import gc
import os
import pathlib
import subprocess
import sys
import unittest

from hubs import BUILD, LIMIT_S, QUIET, Gate, atamo, config, open_hub, until


@atamo.agent
def echo(action):
    """Answers with what it is asked."""
    return action.body


@atamo.agent
def broken(action):
    raise ValueError("no such shelf")


class Configuration(unittest.TestCase):
    def test_mistakes_are_told_with_file_line_and_column(self):
        pathlib.Path("bad.yaml").write_text("agents:\n  echo: {plugin: echo, wrkers: 3}\nrulez: []\n")
        with self.assertRaises(atamo.ConfigError) as caught:
            atamo.Hub(pathlib.Path("bad.yaml"), plugins=[echo], **QUIET)
        places = [(each.file, each.line, each.column) for each in caught.exception.problems]
        self.assertIn(("bad.yaml", 2, 24), places)
        self.assertIn(("bad.yaml", 3, 1), places)
        self.assertRegex(str(caught.exception), r"bad\.yaml:2:24: .*wrkers")

    def test_it_may_be_text_a_dict_or_a_file(self):
        pathlib.Path("good.yaml").write_text(config("echo"))
        shapes = {"agents": {"echo": {"plugin": "echo"}},
                  "rules": [{"id": "r", "on": "echo", "then": {"agent": "echo", "action": "do"}}]}
        for shape in config("echo"), shapes, pathlib.Path("good.yaml"):
            with atamo.Hub(shape, plugins=[echo], **QUIET) as hub, hub.client() as client:
                self.assertEqual(client.request("echo", {"n": 1}).result()[0].json(), {"n": 1})

    def test_a_file_that_is_not_there_is_a_problem(self):
        with self.assertRaises(atamo.Error) as caught:
            atamo.Hub(pathlib.Path("nowhere.yaml"), **QUIET)
        self.assertIn("nowhere.yaml", str(caught.exception))

    def test_reload_changes_rules_or_nothing(self):
        with open_hub(echo, broken) as hub, hub.client() as client:
            hub.reload(config("echo"))
            self.assertEqual([rule["id"] for rule in hub.rules()], ["echo"])
            with self.assertRaises(atamo.ConfigError):
                hub.reload("rules: 7")
            self.assertEqual(client.request("echo", 7).result()[0].json(), 7)

    def test_what_is_no_plugin_is_refused_as_a_type(self):
        with self.assertRaises(TypeError):
            atamo.Hub("rules: []", plugins=[dict])


class State(unittest.TestCase):
    def test_counters_agree_with_what_was_done(self):
        with open_hub(echo) as hub, hub.client() as client:
            for number in range(100):
                client.submit("echo", number)
            hub.wait_idle(LIMIT_S)
            stats = hub.stats()
            self.assertEqual((stats["accepted"], stats["finished"], stats["done"]), (100, 100, 100))
            self.assertEqual(hub.agents()[0]["done"], 100)
            self.assertEqual(hub.rules()[0]["hits"], 100)

    def test_a_message_is_explained_by_its_number_and_by_its_id(self):
        with open_hub(echo) as hub, hub.client() as client:
            number = client.submit("echo", 1, id="mine")
            client.submit("nothing", 2, id="other")
            hub.wait_idle(LIMIT_S)
            self.assertEqual(hub.why(number)["id"], "mine")
            self.assertTrue(hub.why("mine")["rules"][0]["matched"])
            self.assertFalse(hub.why("other")["rules"][0]["matched"])
            self.assertEqual(hub.trace("mine")["state"], "finished")
            with self.assertRaisesRegex(atamo.NotFound, "no message nobody"):
                hub.why("nobody")

    def test_long_explanations_are_whole(self):
        with open_hub(echo) as hub, hub.client() as client:
            client.submit("echo", "x" * 100_000, id="long")
            hub.wait_idle(LIMIT_S)
            self.assertEqual(hub.why("long")["event"]["data"], "x" * 100_000)

    def test_dead_letters_are_listed_replayed_and_dropped(self):
        with open_hub(broken) as hub, hub.client() as client:
            client.submit("broken")
            hub.wait_idle(LIMIT_S)
            letter, = hub.dead_letters()
            self.assertEqual((letter["agent"], letter["text"]), ("broken", "no such shelf"))
            hub.replay(letter["id"])
            hub.wait_idle(LIMIT_S)
            letter, = hub.dead_letters()
            hub.drop(letter["id"])
            self.assertEqual(list(hub.dead_letters()), [])

    def test_a_paused_agent_waits(self):
        with open_hub(echo) as hub, hub.client() as client:
            hub.pause("echo")
            request = client.request("echo", 1)
            with self.assertRaises(atamo.Timeout):
                request.next(timeout=0.01)
            hub.resume("echo")
            self.assertEqual(len(request.result()), 1)
            with self.assertRaises(atamo.NotFound):
                hub.pause("nobody")

    def test_waiting_for_a_hub_that_is_busy_times_out(self):
        gate = Gate()

        @atamo.agent
        def slow(action):
            gate.wait()

        with open_hub(slow) as hub, hub.client() as client:
            client.submit("slow")
            with self.assertRaises(TimeoutError):
                hub.wait_idle(0.01)
            gate.open()
            hub.wait_idle(LIMIT_S)


class End(unittest.TestCase):
    def test_nothing_can_be_done_with_what_is_closed(self):
        hub = open_hub(echo)
        client = hub.client()
        hub.close()
        hub.close()
        for call in (hub.stats, hub.client, client.dispatch, lambda: client.submit("echo"),
                     lambda: client.request("echo"), lambda: client.watch(None), client.wait):
            with self.assertRaises(atamo.Closed):
                call()
        client.close()

    def test_a_hub_that_had_to_cancel_says_so(self):
        started = Gate()

        @atamo.agent
        def endless(action):
            started.open()
            while action.sleep(LIMIT_S):
                pass

        hub = open_hub(endless)
        client = hub.client()
        client.submit("endless")
        started.wait()
        self.assertFalse(hub.close(limit=0.01))

    def test_several_hubs_in_one_program_share_nothing(self):
        with open_hub(echo) as first, open_hub(echo) as second:
            with first.client() as client:
                client.request("echo", 1).result()
            self.assertEqual((first.stats()["accepted"], second.stats()["accepted"]), (1, 0))

    def test_what_is_forgotten_is_closed(self):
        before = len(list(pathlib.Path("/proc/self/task").iterdir()))
        for _ in range(3):
            hub = open_hub(echo)
            hub.client().submit("echo")
            hub.me = hub  # only the collector finds it
            del hub
            gc.collect()
        until(lambda: len(list(pathlib.Path("/proc/self/task").iterdir())) == before)

    def test_a_hub_that_is_collected_on_its_own_thread_is_closed_all_the_same(self):
        threads = len(list(pathlib.Path("/proc/self/task").iterdir()))
        forgotten = Gate()

        @atamo.agent(mode=atamo.INLINE)
        def collect(action):
            forgotten.wait()
            gc.collect()

        gc.disable()
        self.addCleanup(gc.enable)
        hub = open_hub(collect)
        hub.mine = hub.client()  # which knows its hub: only the collector finds them
        hub.mine.submit("collect")
        del hub
        forgotten.open()
        until(lambda: len(list(pathlib.Path("/proc/self/task").iterdir())) == threads, limit_s=5)

    def run_program(self, text):
        """Run a program that forgets something; what it wrote."""
        preface = "import sys, os, atamo\n@atamo.agent\ndef echo(action):\n    return action.body\n"
        preface += f"CONFIG = '''{config('echo')}'''\n"
        result = subprocess.run([sys.executable, "-X", "faulthandler", "-c", preface + text],
                                env=os.environ | {"PYTHONPATH": str(BUILD / "python")},
                                capture_output=True, text=True, timeout=LIMIT_S)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return result.stdout

    def test_forgetting_to_close_is_safe_when_the_interpreter_ends(self):
        shown = self.run_program("""
hub = atamo.Hub(CONFIG, plugins=[echo], log=lambda *line: None)
client = hub.client()
for number in range(1000):
    client.submit("echo", number)
requests = [client.request("echo", number) for number in range(100)]
print(len(requests[0].result()))
""")
        self.assertEqual(shown, "1\n")

    def test_a_child_after_fork_has_no_hub_and_ends_in_peace(self):
        shown = self.run_program("""
hub = atamo.Hub(CONFIG, plugins=[echo], log=lambda *line: None)
client = hub.client()
child = os.fork()
if child == 0:
    try:
        client.submit("echo")
    except atamo.Closed as error:
        print("child:", error, flush=True)
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
print("parent:", client.request("echo", 7).result()[0].json())
""")
        self.assertEqual(shown, "child: this client is closed\nparent: 7\n")

    def test_log_lines_come_to_the_program(self):
        lines = []

        class Talks(atamo.Agent):
            def start(self):
                self.log("good morning", atamo.WARN)

            def handle(self, action):
                return None

        with open_hub(Talks, log=lambda *line: lines.append(line)):
            pass
        self.assertIn((atamo.WARN, "talks", "good morning"), lines)


if __name__ == "__main__":
    unittest.main()
