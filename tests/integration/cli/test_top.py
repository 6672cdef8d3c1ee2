"""`atamo top` on a terminal: what is seen there, and that it is given back however the program ends."""

import json
import os
import signal
import unittest

from mock_hub import Answer, Cut, MockHub, problem
from program import ATAMO, atamo
from terminal import Terminal

DENIED = 4
STATS = {"t_us": 1, "accepted": 100, "refused": 2, "finished": 90, "in_flight": 345, "done": 80,
         "dead": 3, "shed": 0, "waiting": 12, "running": 4, "attempts": 95, "retries": 2,
         "unmatched": 9, "dead_letters": 3, "records_lost": 0, "rules": 12, "generation": 3,
         "durable": True, "clients": 4}


def agent(name, **more):
    return {"id": name, "plugin": "log", "state": "running", "breaker": "closed", "queued": 0,
            "parked": 0, "running": 1, "concurrency": 4, "done": 80, "retries": 2, "dead": 0,
            "shed": 0, "latency": {"p50_us": 64, "p99_us": 1200}} | more


AGENTS = [agent("out-2", queued=7), agent("out-10", breaker="open", dead=3, queued=30),
          agent("bad", state="paused", latency={"p50_us": 5000, "p99_us": 2500000})]
SCREEN = """\
atamo top  URL  durable, 12 rules, generation 3, 4 clients
accepted      0/s  finished      0/s  attempts      0/s  retries      0/s
in flight 345     waiting 12      running 4       unmatched 9       refused 2
done 80      dead 3       shed 0       dead letters 3       records lost 0

AGENT              STATE     QUEUED  RUNNING   DONE/S    DEAD      P50      P99
bad                paused         0      1/4        0       0   5.0 ms    2.5 s
out-2              running        7      1/4        0       0    64 us   1.2 ms
out-10             open          30      1/4        0       3    64 us   1.2 ms



q quit  r reverse  sort by  n name  d done/s  u queue  x dead  p p99"""


class Top(unittest.TestCase):
    def hub(self, stats=Answer(STATS), agents=AGENTS):
        return MockHub({"GET /v1/stats": stats, "GET /v1/agents": Answer({"agents": agents})})

    def top(self, hub, *words, columns=80, rows=13):
        return Terminal([ATAMO, "top", "--url", hub.url, "--interval", "50ms", *words],
                        columns=columns, rows=rows)

    def check_given_back(self, terminal):
        self.assertFalse(terminal.alternate)
        self.assertTrue(terminal.cursor)
        self.assertTrue(terminal.is_as_before())

    def names(self, terminal):
        return [row.split()[0] for row in terminal.rows[6:9] if row]

    def test_shows_the_hub_and_its_agents(self):
        with self.hub() as hub, self.top(hub) as terminal:
            terminal.until_row(r"out-10 +open +30 +1/4 +0 ")  # the second reading has rates
            rows = terminal.until(lambda: terminal.rows[-1])
            self.assertTrue(terminal.alternate)
            self.assertFalse(terminal.cursor)
            shown = "\n".join(row.rstrip() for row in rows).replace(hub.url, "URL")
            self.assertEqual(shown, SCREEN)
            terminal.press("q")
            self.assertEqual(terminal.end(), 0)
            self.check_given_back(terminal)

    def test_shows_caches_feeds_and_replies_that_were_lost_if_there_are_any(self):
        agents = [agent("a", cache={"hits": 3, "joins": 0, "misses": 1}), agent("b")]
        with self.hub(Answer(STATS | {"feeds": 7, "replies_lost": 5}), agents) as hub, \
                self.top(hub, columns=122) as terminal:
            terminal.until_row(r"^a .* 1\.2 ms   75 %$")
            terminal.until_row(r"^b .* 1\.2 ms      -$")
            terminal.until_row(r" P99  CACHE$")
            terminal.until_row(r" feeds 7 ")
            terminal.until_row(r" replies lost 5 ")

    def test_has_rates_between_two_readings_and_none_of_a_hub_that_began_anew(self):
        counts = iter(range(100, 10**9, 1000))
        with self.hub(lambda _: Answer(STATS | {"accepted": next(counts)})) as hub, \
                self.top(hub) as terminal:
            rate = terminal.until_row(r"accepted +(\d+)/s").group(1)
            self.assertGreater(int(rate), 1000)
            self.assertLessEqual(int(rate), 1000 / 0.05)
        with self.hub([Answer(STATS), Answer(STATS | {"accepted": 1})]) as hub, \
                self.top(hub) as terminal:
            terminal.until_row(r"accepted +0/s")

    def test_sorts_by_keys(self):
        with self.hub() as hub, self.top(hub) as terminal:
            for key, names in (("u", ["out-10", "out-2", "bad"]), ("p", ["bad", "out-2", "out-10"]),
                               ("x", ["out-10", "bad", "out-2"]), ("r", ["out-2", "bad", "out-10"]),
                               ("n", ["out-10", "out-2", "bad"]), ("r", ["bad", "out-2", "out-10"])):
                terminal.press(key)
                terminal.until(lambda: self.names(terminal) == names)

    def test_leaves_columns_out_on_a_narrow_terminal_and_fits_a_new_size(self):
        with self.hub(agents=[agent(f"a-{number}") for number in range(30)]) as hub, \
                self.top(hub, columns=120, rows=30) as terminal:
            terminal.until_row(r"PLUGIN +STATE +BREAKER .* RETRY/S +DONE +DEAD")
            terminal.until_row("and 8 more agents")
            terminal.resize(60, 12)
            terminal.until_row("and 26 more agents")
            terminal.until(lambda: terminal.rows[-1].startswith("q quit"))
            self.assertLessEqual(max(map(len, terminal.rows)), 60)
            terminal.resize(20, 3)
            terminal.press("n")
            terminal.until(lambda: terminal.rows[0].startswith("atamo top"))

    def test_gives_the_terminal_back_at_every_signal_that_ends_it(self):
        with self.hub() as hub:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
                with self.top(hub) as terminal:
                    terminal.until(lambda: terminal.alternate)
                    terminal.process.send_signal(number)
                    self.assertEqual(terminal.end(), 0)
                    self.check_given_back(terminal)
            with self.top(hub) as terminal:
                terminal.until(lambda: terminal.alternate and terminal.rows[-1])
                terminal.press("\x03")
                self.assertEqual(terminal.end(), 0)
                self.check_given_back(terminal)

    def test_gives_the_terminal_back_when_it_crashes(self):
        with self.hub() as hub, self.top(hub) as terminal:
            terminal.until(lambda: terminal.alternate and terminal.rows[-1])
            terminal.process.send_signal(signal.SIGABRT)
            self.assertEqual(terminal.end(), -signal.SIGABRT)
            self.check_given_back(terminal)

    def test_gives_the_terminal_back_while_it_is_stopped(self):
        with self.hub() as hub, self.top(hub) as terminal:
            terminal.until(lambda: terminal.alternate and terminal.rows[-1])
            terminal.process.send_signal(signal.SIGTSTP)
            _, status = os.waitpid(terminal.process.pid, os.WUNTRACED)
            self.assertTrue(os.WIFSTOPPED(status))
            terminal.until(lambda: not terminal.alternate)
            self.check_given_back(terminal)
            terminal.process.send_signal(signal.SIGCONT)
            terminal.until(lambda: terminal.alternate and terminal.rows[-1])
            terminal.press("q")
            self.assertEqual(terminal.end(), 0)

    def test_says_that_the_hub_does_not_answer_and_goes_on_when_it_does(self):
        answers = [Answer(STATS), Cut(), Cut(), problem(500, "no"), Answer(STATS | {"accepted": 500})]
        with self.hub(answers) as hub, self.top(hub, "--interval", "400ms") as terminal:
            terminal.until_row("no answer since 0 s: Empty reply")
            terminal.until_row("no answer since [01] s: status 500")
            terminal.until_row(r"accepted +[1-9]\d*")
            terminal.until(lambda: "no answer" not in terminal.rows[1])

    def test_ends_when_it_is_denied_and_can_be_quit_while_the_hub_is_silent(self):
        with self.hub([Answer(STATS), problem(403, "revoked")]) as hub, self.top(hub) as terminal:
            self.assertEqual(terminal.end(), DENIED)
            self.check_given_back(terminal)
            self.assertIn("does not let us look any more", terminal.said)

        def silent(_):
            if len(hub.asked) > 2:
                hub.over.wait()
            return Answer(STATS)

        with self.hub(silent) as hub, self.top(hub) as terminal:
            hub.wait_for(3)
            terminal.press("q")
            self.assertEqual(terminal.end(), 0)
            self.check_given_back(terminal)

    def test_is_one_reading_without_a_terminal_or_as_json(self):
        with self.hub() as hub:
            text = atamo("top", "--url", hub.url).stdout
            self.assertRegex(text, r"accepted 100 ")
            self.assertRegex(text, r"out-10 +log +running +open +30 +1/4 +- +- +80 +3 +64 us +1\.2 ms")
            self.assertNotIn("\033", text)
            self.assertNotIn("q quit", text)
            top = json.loads(atamo("top", "--url", hub.url, "--json").stdout)
            self.assertEqual(top, {"stats": STATS, "agents": AGENTS})
        with self.hub(problem(403, "telemetry:read is missing")) as hub:
            self.assertEqual(atamo("top", "--url", hub.url).returncode, DENIED)


if __name__ == "__main__":
    unittest.main()
