"""What the commands print: data on stdout, JSON where scripts read, colour only where it is welcome."""

import datetime
import json
import os
import subprocess
import unittest

from program import ATAMO, SOURCES, Running, atamo

MINIMAL = str(SOURCES / "configs/minimal/atamo.yaml")
QUICKSTART = str(SOURCES / "configs/quickstart/atamo.yaml")
EVENTS = str(SOURCES / "configs/quickstart/events.jsonl")
WANTED = """
agents:
  out: {plugin: log}
  never: {plugin: flaky, config: {fail_first: 9}, retry: {attempts: 1}}
event_providers:
  input: {plugin: stdin, config: {type: line.read}}
rules:
  - {id: large, on: line.read, when: {data: {n: [{numeric: [">", 5]}]}},
     then: {agent: out, action: show}}
  - {id: other, on: something.else, then: {agent: out, action: show}}
  - {id: doomed, on: line.read, when: {data: {n: [13]}},
     then: {agent: never, action: try, as: anna}}
"""
CONTROL = "\033["


def write(name, text):
    with open(name, "w", encoding="utf-8") as file:
        file.write(text)
    return name


class Summary(unittest.TestCase):
    def setUp(self):
        self.config = write("wanted.yaml", WANTED)

    def test_says_why_a_message_matched_no_rule(self):
        with Running(self.config) as hub:
            hub.shows('{"n": 6}', "by large")
            hub.reload()  # answered by the one who also looks for such messages: it looks by now
            hub.say('{"n": 1}')
            self.assertEqual(hub.end_of_input(), 0)
            hub.line_of("1 message matched no rule")
            self.assertRegex(hub.line_of("large:", "other:"), r"large: data\.n is 1, ")

    def test_counts_messages_that_matched_no_rule_however_fast_they_were(self):
        said = atamo("run", self.config, text='{"n": 1}\n').stderr
        self.assertIn("1 message matched no rule", said)

    def test_is_one_json_object_for_scripts(self):
        result = atamo("run", "--json", self.config, text='{"n": 1}\n{"n": 13}\n')
        summary = json.loads(result.stdout.splitlines()[-1])
        self.assertEqual((summary["accepted"], summary["unmatched"]), (2, 1))
        self.assertTrue(summary["balanced"])
        self.assertEqual([letter["rule"] for letter in summary["dead_letters"]], ["doomed"])
        self.assertEqual({agent["name"] for agent in summary["agents"]}, {"out", "never"})

    def test_other_results_are_json_for_scripts(self):
        write("good.test.yaml", "config: wanted.yaml\ntests:\n  - name: a\n    event: {type: x}\n"
              "    expect: {rules: []}\n  - name: b\n    event: {type: x}\n"
              "    expect: {rules: [large]}\n")
        result = atamo("test", "--json", "good.test.yaml")
        report = json.loads(result.stdout)
        self.assertEqual(result.returncode, 1)
        self.assertEqual((report["passed"], report["failed"]), (1, 1))
        self.assertEqual([(one["name"], one["line"], one["passed"])
                          for one in report["files"][0]["tests"]], [("a", 3, True), ("b", 6, False)])
        self.assertIn("large", report["files"][0]["tests"][1]["failure"])
        self.assertEqual(json.loads(atamo("rules", "list", "--json", self.config).stdout),
                         [{"id": "large"}, {"id": "other"}, {"id": "doomed"}])
        self.assertRegex(json.loads(atamo("version", "--json").stdout)["version"], r"^\d+\.\d+")
        counts = json.loads(atamo("simulate", "--json", "--events", EVENTS, QUICKSTART).stdout)
        self.assertEqual(counts["actions"], counts["done"] + counts["dead"] + counts["shed"] +
                         counts["cancelled"] + counts["expired"])

    def test_lines_of_the_log_agent_are_there_when_they_happen(self):
        config = write("lines.yaml", WANTED.replace("{plugin: log}",
                                                    "{plugin: log, config: {to: stdout}}"))
        with Running(config) as hub:
            hub.shows('{"n": 6}', "show by large")  # through a pipe, while the hub runs on

    def test_checking_leaves_nothing_on_the_disk(self):
        config = write("file.yaml", "agents: {f: {plugin: file, config: {path: made.jsonl}}}\n"
                       "auditors:\n  j: {plugin: jsonl, config: {path: made.journal}}\n"
                       "  t: {plugin: trace, config: {to: made.trace}}\n"
                       "rules: [{id: r, then: {agent: f, action: keep}}]\n")
        before = sorted(os.listdir("."))
        self.assertEqual(atamo("check", config).returncode, 0)
        self.assertEqual(sorted(os.listdir(".")), before)

    def test_the_journal_says_the_time_as_text_or_as_a_number(self):
        times = {}
        for form in ("iso", "us"):
            config = write(form + ".yaml", WANTED + "auditors: {j: {plugin: jsonl, config: "
                           "{path: %s.journal, time: %s}}}\n" % (form, form))
            self.assertEqual(atamo("run", config, text='{"n": 1}\n').returncode, 0)
            with open(form + ".journal", encoding="utf-8") as file:
                times[form] = [json.loads(line)["time"] for line in file]
        for text in times["iso"]:
            self.assertRegex(text, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
        self.assertTrue(all(isinstance(number, int) for number in times["us"]))
        first = datetime.datetime.fromisoformat(times["iso"][0].replace("Z", "+00:00"))
        self.assertLess(abs(times["us"][0] / 1e6 - first.timestamp()), 60)

    def test_dead_letters_are_a_failure_only_if_strict(self):
        self.assertEqual(atamo("run", self.config, text='{"n": 13}\n').returncode, 0)
        self.assertEqual(atamo("run", "--strict", self.config, text='{"n": 13}\n').returncode, 1)
        self.assertEqual(atamo("run", "--strict", self.config, text='{"n": 6}\n').returncode, 0)

    def test_quiet_says_nothing_of_success(self):
        self.assertEqual(atamo("run", "--quiet", MINIMAL, text="").stderr, "")
        self.assertEqual(atamo("check", "--quiet", MINIMAL).stdout, "")


class Alerts(unittest.TestCase):
    def setUp(self):
        self.config = write("wanted.yaml", WANTED)

    def log_of(self, lines, *words):
        with Running(self.config) as hub:
            hub.shows('{"n": 6}', "by large")
            hub.reload()  # answered by the one who also hears of alerts: it listens by now
            hub.say("\n".join(lines))
            self.assertEqual(hub.end_of_input(), 0)
            hub.thread.join()
            return [line for line in hub.lines.queue if any(word in line for word in words)]

    def test_are_lines_of_the_log_that_say_what_why_and_whose(self):
        said, = self.log_of(['{"n": 13}'], "warn")
        self.assertRegex(said, r"^warn  never: ran out of attempts: try as anna \(rule doomed\), "
                               r"message [0-9a-f-]{36}")

    def test_do_not_flood_the_log(self):
        said = self.log_of(['{"n": 13}'] * 2000, "ran out of attempts", "left out here")
        self.assertIn("alerts were left out here", said[-1])
        self.assertLess(len(said), 1000)


class Json(unittest.TestCase):
    def test_schema_is_the_one_that_comes_along(self):
        kept = (SOURCES / "configs/atamo.schema.json").read_text(encoding="utf-8")
        self.assertEqual(json.loads(atamo("schema").stdout), json.loads(kept))

    def test_check_lists_each_mistake_with_its_place(self):
        config = write("wrong.yaml", "agents:\n  a: {plugin: lag}\n  b: {plgin: log}\n")
        result = atamo("check", "--json", config)
        found = json.loads(result.stdout)
        self.assertFalse(found["ok"])
        self.assertEqual({(p["file"], p["line"]) for p in found["problems"]},
                         {("wrong.yaml", 2), ("wrong.yaml", 3)})

    def test_rules_test_prints_one_object(self):
        event = write("event.json", '{"type": "a.b", "data": {"n": 1}}')
        found = json.loads(atamo("rules", "test", MINIMAL, "--event", event, "--json").stdout)
        self.assertEqual(set(found), {"event", "rules", "actions"})
        self.assertEqual(found["rules"][0]["matched"], True)
        self.assertEqual(found["actions"][0]["agent"], "out")


class Simulation(unittest.TestCase):
    def journal(self, name, seed):
        result = atamo("simulate", QUICKSTART, "--events", EVENTS, "--days", "30", "--seed", seed,
                       "--journal", name)
        self.assertEqual(result.returncode, 0, result.stderr)
        with open(name, "rb") as file:
            return file.read()

    def test_same_seed_gives_the_same_journal(self):
        first = self.journal("first", "7")
        self.assertGreater(len(first), 0)
        self.assertEqual(first, self.journal("second", "7"))
        self.assertNotEqual(first, self.journal("third", "8"))


class Terminal(unittest.TestCase):
    def test_colour_is_for_those_who_ask(self):
        self.assertNotIn(CONTROL, atamo("help").stdout)
        self.assertNotIn(CONTROL, atamo("help", "--color=never").stdout)
        self.assertIn(CONTROL, atamo("help", "--color=always").stdout)
        self.assertIn(CONTROL, atamo("help", "--color", "always").stdout)

    def test_a_mark_stands_under_the_mistake(self):
        config = write("wrong.yaml", "agents:\n  out: {plugin: lag}\n")
        lines = atamo("check", config).stderr.splitlines()
        self.assertTrue(lines[0].startswith("wrong.yaml:2:"))
        self.assertEqual(lines[1].index("lag"), lines[2].index("^"))

    def test_output_that_cannot_be_written_is_a_failure(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            result = subprocess.run([ATAMO, "schema"], stdout=full, stderr=subprocess.PIPE,
                                    text=True, timeout=60)
        self.assertEqual(result.returncode, 1)
        self.assertIn("could not be written", result.stderr)


class Completion(unittest.TestCase):
    def words(self, *typed):
        script = 'eval "$("$1" completion)"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))\n' \
                 '_atamo; printf "%s\\n" "${COMPREPLY[@]}"'
        return subprocess.run(["bash", "-c", script, "bash", ATAMO, "atamo", *typed], text=True,
                              check=True, capture_output=True, timeout=60).stdout.split()

    def test_knows_commands_second_words_options_and_files(self):
        self.assertEqual(self.words("ru"), ["run", "rules"])
        self.assertEqual(self.words("rules", ""),
                         ["test", "list", "show", "put", "rm", "history", "rollback"])
        self.assertEqual(self.words("agents", ""), ["list", "pause", "resume", "drain"])
        self.assertEqual(self.words("ag"), ["agents"])
        self.assertEqual(self.words("run", "--s"), ["--strict"])
        self.assertEqual(self.words("rules", "test", "--e"), ["--event"])
        write("some.yaml", "")
        self.assertIn("some.yaml", self.words("check", "so"))


class Help(unittest.TestCase):
    def test_of_a_first_word_lists_the_commands_that_begin_with_it(self):
        for words in (["dead", "--help"], ["help", "dead"]):
            with self.subTest(" ".join(words)):
                result = atamo(*words)
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertIn("  dead replay ", result.stdout)
                self.assertNotIn("  rules ", result.stdout)
        self.assertIn("  dead replay ", atamo("dead").stderr)


if __name__ == "__main__":
    unittest.main()
