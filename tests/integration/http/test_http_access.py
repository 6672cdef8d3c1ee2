"""Who did what through the service is told; and how much each may ask."""

import pathlib
import unittest

from program import atamo
from service import serve

CONFIG = """
agents: {out: {plugin: log}}
event_providers: {api: HTTP}
rules_folder: rules.d
rules: [{id: show, on: shown, then: {agent: out, action: show}}]
"""
RULE = '{"id": "r", "on": "x", "then": [{"agent": "out", "action": "show"}]}'


def told(service, count):
    """The first `count` steps that tell of access."""
    with service.stream("/v1/telemetry?since=oldest&step=access") as stream:
        return [stream.next()["data"] for _ in range(count)]


class Access(unittest.TestCase):
    def test_what_changes_something_is_told_with_who_when_and_what_came_of_it(self):
        with serve(CONFIG) as service:
            service.event("shown", {})
            service.get("/v1/agents")
            service.post("/v1/agents/out:pause")
            service.call("PUT", "/v1/rules/r?why=test", RULE)
            service.call("DELETE", "/v1/rules/nothing")
            steps = told(service, 3)
        self.assertEqual([(step["text"], step["status"]) for step in steps],
                         [("POST /v1/agents/out:pause from 127.0.0.1", 200),
                          ("PUT /v1/rules/r?why=test from 127.0.0.1", 201),
                          ("DELETE /v1/rules/nothing from 127.0.0.1", 404)])
        for step in steps:
            self.assertGreater(step["t_us"], 0)
            self.assertGreater(step["took_us"], 0)

    def test_users_are_named_and_their_tokens_never(self):
        pathlib.Path("tokens.json").unlink(missing_ok=True)
        config = CONFIG + "access: {tokens: tokens.json}\n"
        pathlib.Path("hub.yaml").write_text(config.replace("HTTP", "{plugin: http}"))
        token = atamo("token", "new", "hub.yaml", "alice", "--scope", "*").stdout.strip()
        with serve(config) as service:
            service.post("/v1/agents/out:pause")
            service.post("/v1/agents/out:pause", headers={"Authorization": "Bearer atamo_x_y"})
            service.token = token
            service.post("/v1/agents/out:pause")
            steps = told(service, 3)
        self.assertEqual([step["status"] for step in steps], [401, 401, 200])
        self.assertEqual([step.get("user") for step in steps], [None, None, "alice"])
        self.assertNotIn("atamo_", str(steps))

    def test_every_call_or_none_is_told_if_that_is_wanted(self):
        with serve(CONFIG, options=", access_log: all") as service:
            service.get("/v1/agents")
            service.event("shown", {})
            self.assertEqual([step["text"].split()[:2] for step in told(service, 2)],
                             [["GET", "/v1/agents"], ["POST", "/v1/events"]])
        with serve(CONFIG, options=", access_log: none") as service:
            service.post("/v1/agents/out:pause")
            records = service.stats()["records"]
            service.post("/v1/agents/out:pause")
            self.assertEqual(service.stats()["records"] - records, 1)  # that it is paused

    def test_whoever_is_refused_again_and_again_does_not_flood_telemetry(self):
        pathlib.Path("tokens.json").unlink(missing_ok=True)
        config = CONFIG + "access: {tokens: tokens.json}\n"
        pathlib.Path("hub.yaml").write_text(config.replace("HTTP", "{plugin: http}"))
        token = atamo("token", "new", "hub.yaml", "alice", "--scope", "*").stdout.strip()
        with serve(config) as service:
            over = service.connection()
            for _ in range(300):
                self.assertEqual(service.get("/v1/stats").status, 401)
            over.close()
            service.token = token
            self.assertLess(service.stats()["records"], 150)


class Rate(unittest.TestCase):
    def test_more_calls_than_the_rate_are_told_when_to_come_again(self):
        with serve(CONFIG, options=", rate: 3") as service:
            answers = [service.get("/v1/agents") for _ in range(10)]
            refused = [answer for answer in answers if answer.status == 429]
            self.assertEqual([answer.status for answer in answers[:3]], [200] * 3)
            self.assertGreater(len(refused), 0)
            for answer in refused:
                self.assertEqual(answer.headers["retry-after"], "1")
                self.assertIn("3 calls a second", answer.json()["detail"])
            self.assertEqual(service.get("/health").status, 200)
            service.when(lambda: service.get("/v1/agents").status == 200, "another allowance")

    def test_each_token_has_a_rate_of_its_own(self):
        pathlib.Path("tokens.json").unlink(missing_ok=True)
        config = CONFIG + "access: {tokens: tokens.json}\n"
        pathlib.Path("hub.yaml").write_text(config.replace("HTTP", "{plugin: http}"))
        tokens = [atamo("token", "new", "hub.yaml", user, "--scope", "*").stdout.strip()
                  for user in ("alice", "bob")]
        with serve(config, options=", rate: 2") as service:
            service.token = tokens[0]
            self.assertIn(429, [service.get("/v1/agents").status for _ in range(10)])
            service.token = tokens[1]
            self.assertEqual(service.get("/v1/agents").status, 200)


unittest.main()
