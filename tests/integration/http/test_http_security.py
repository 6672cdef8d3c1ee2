"""Who may come in, and what a stranger gets: tokens, Host and Origin, sockets, paths."""

import json
import os
import pathlib
import signal
import socket
import stat
import unittest

from program import atamo
from service import Service, serve

CONFIG = """
access: {tokens: tokens.json}
agents:
  out: {plugin: log}
  worker: {plugin: exec, config: {WORKER}}
event_providers: {api: HTTP}
rules:
  - {id: show, on: shown, then: {agent: out, action: show}}
  - {id: tell, on: ask, then: {agent: worker, action: tell, with: {hold: "${user}"}}}
"""
OPEN = """
agents: {out: {plugin: log}}
event_providers: {api: HTTP}
rules: [{id: show, on: shown, then: {agent: out, action: show}}]
"""
TOKENS = pathlib.Path("tokens.json")
CALLS = (("POST", "/v1/events", "events:write"), ("POST", "/v1/requests", "requests:write"),
         ("GET", "/v1/requests/x", "requests:write"), ("DELETE", "/v1/requests/x", "requests:write"),
         ("GET", "/v1/requests/x/stream", "requests:write"),
         ("GET", "/v1/events/x", "telemetry:read"), ("GET", "/v1/events/x/why", "telemetry:read"),
         ("GET", "/v1/telemetry", "telemetry:read"), ("GET", "/v1/stats", "telemetry:read"),
         ("GET", "/v1/agents", "telemetry:read"), ("GET", "/metrics", "telemetry:read"),
         ("POST", "/v1/agents/out:pause", "agents:manage"),
         ("POST", "/v1/agents/out:resume", "agents:manage"),
         ("POST", "/v1/agents/out:drain", "agents:manage"), ("GET", "/v1/rules", "rules:read"),
         ("GET", "/v1/dead-letters", "telemetry:read"),
         ("GET", "/v1/dead-letters/1", "telemetry:read"),
         ("DELETE", "/v1/dead-letters/1", "dead:manage"),
         ("POST", "/v1/dead-letters/1:replay", "dead:manage"),
         ("POST", "/v1/dead-letters:replay", "dead:manage"))
NEVER = "atamo_aaaaaaaaaa_" + "A" * 43


def new(user, *words):
    result = atamo("token", "new", "atamo.yaml", user, *words)
    if result.returncode != 0:
        raise AssertionError(result.stderr)
    return result.stdout.strip()


def bearer(token):
    return {"Authorization": "Bearer " + token}


class Tokens(unittest.TestCase):
    def setUp(self):
        TOKENS.unlink(missing_ok=True)
        os.umask(0o077)
        pathlib.Path("atamo.yaml").write_text("access: {tokens: tokens.json}\n", encoding="utf-8")

    def refused(self, answer, status, words):
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(answer.headers["content-type"], "application/problem+json")
        self.assertIn(words, answer.json()["detail"])

    def stranger(self, answer):
        self.refused(answer, 401, "")
        self.assertTrue(answer.headers["www-authenticate"].startswith("Bearer"))

    def test_every_call_asks_for_a_token_with_its_scope(self):
        reader = new("reader", "--scope", "rules:read")
        writer = new("writer", "--scope", "events:write")
        with serve(CONFIG) as service:
            for method, path, scope in CALLS:
                with self.subTest(f"{method} {path}"):
                    self.stranger(service.call(method, path))
                    self.stranger(service.call(method, path, headers=bearer(NEVER)))
                    self.stranger(service.call(method, path, headers={"Authorization": "Basic x"}))
                    other = writer if scope != "events:write" else reader
                    self.refused(service.call(method, path, headers=bearer(other)), 403, scope)
            for path in ("/health", "/ready", "/openapi.json"):
                self.assertEqual(service.get(path).status, 200)
            self.assertEqual(service.get("/v1/rules", bearer(reader)).status, 200)

    def test_what_is_nearly_a_token_is_none(self):
        token = new("anna")
        last = "B" if token[-1] == "A" else "A"
        with serve(CONFIG) as service:
            for bad in (token[:-1], token + "A", token[:-1] + last, token.upper(), "",
                        token.replace("atamo_", "atamo-"), token[:16], token + "," + token):
                with self.subTest(bad):
                    self.stranger(service.post("/v1/events", "x",
                                               {**bearer(bad), "ce-type": "shown"}))
            good = {"Authorization": "bearer " + token, "ce-type": "shown"}
            self.assertEqual(service.post("/v1/events", "x", good).status, 202)
            self.stranger(service.get("/v1/stats?access_token=" + token))

    def test_an_event_is_that_of_the_token_and_of_nobody_else(self):
        token = new("anna", "--scope", "*")
        tenant = new("ben", "--scope", "*", "--tenant", "acme")
        with serve(CONFIG) as service:
            service.token = token
            self.assertEqual(service.event("ask").status, 202)
            service.hub.line_of("holds anna")
            self.assertEqual(service.event("ask", user="anna").status, 202)
            service.hub.line_of("holds anna")
            self.refused(service.event("ask", user="root"), 403, "another user")
            self.refused(service.event("ask", tenant="acme"), 403, "another user or tenant")
            self.refused(service.post("/v1/events", "x", {"ce-type": "ask", "ce-user": "root"}),
                         403, "another user")
            batch = json.dumps([{"specversion": "1.0", "type": "ask"},
                                {"specversion": "1.0", "type": "ask", "user": "root"}])
            before = service.stats()["accepted"]
            self.refused(service.post("/v1/events", batch, {
                "Content-Type": "application/cloudevents-batch+json"}), 403, "another user")
            self.assertEqual(service.stats()["accepted"], before)
            service.token = tenant
            self.assertEqual(service.event("ask", tenant="acme").status, 202)
            service.hub.line_of("holds ben")
            for method, path, scope in CALLS:
                if scope not in ("events:write", "requests:write"):
                    self.refused(service.call(method, path), 403, "tenant")

    def test_requests_of_somebody_else_are_not_there(self):
        anna, ben = new("anna", "--scope", "*"), new("ben", "--scope", "*")
        with serve(CONFIG) as service:
            service.token = anna
            asked = service.post("/v1/requests", "", {"ce-type": "ask"}).json()
            url = asked["status_url"]
            service.hub.line_of("holds anna")
            for path in (url, url + "/stream"):
                self.refused(service.get(path, bearer(ben)), 404, "no request")
            self.refused(service.call("DELETE", url, headers=bearer(ben)), 404, "no request")
            self.assertEqual(service.get(url).json()["state"], "open")
            self.assertEqual(service.call("DELETE", url).status, 204)

    def test_tokens_come_and_go_while_the_hub_runs(self):
        old = new("anna", "--scope", "*")
        with serve(CONFIG) as service:
            self.assertEqual(service.get("/v1/stats", bearer(old)).status, 200)
            fresh = new("anna", "--scope", "*")
            service.when(lambda: service.get("/v1/stats", bearer(fresh)).status == 200)
            self.assertEqual(service.get("/v1/stats", bearer(old)).status, 200)
            atamo("token", "revoke", "atamo.yaml", old.split("_")[1])
            service.when(lambda: service.get("/v1/stats", bearer(old)).status == 401)
            self.assertEqual(service.get("/v1/stats", bearer(fresh)).status, 200)
            kept = json.loads(TOKENS.read_text(encoding="utf-8"))
            kept["tokens"][0]["expires"] = "2026-01-01T00:00:00Z"
            TOKENS.write_text(json.dumps(kept), encoding="utf-8")
            service.when(lambda: service.get("/v1/stats", bearer(fresh)).status == 401)

    def test_tokens_are_in_no_answer_and_no_line_of_the_log(self):
        token = new("anna", "--scope", "*")
        with serve(CONFIG) as service:
            service.token = token
            told = [service.event("shown", {}, "?wait=5s", id="s-1"), service.get("/v1/events/s-1"),
                    service.get("/metrics"), service.get("/v1/rules"), service.get("/nowhere")]
            with service.stream("/v1/telemetry?since=oldest") as stream:
                told.append(stream.until(lambda event: event["data"]["step"] == "finished"))
            service.hub.stop()
            lines = []
            while not service.hub.lines.empty():
                lines.append(service.hub.lines.get())
        for text in (*map(str, told), *map(repr, lines), TOKENS.read_text(encoding="utf-8")):
            self.assertNotIn(token.split("_")[2], text)


class Browsers(unittest.TestCase):
    def test_a_name_that_was_made_to_point_here_is_no_name_of_this_service(self):
        with serve(OPEN, options=", hosts: [hub.example]") as service:
            port = service.address.rpartition(":")[2]
            for host in ("127.0.0.1", "localhost", "LOCALHOST:" + port, "[::1]:80", "hub.example",
                         "Hub.Example:443", "192.168.1.7"):
                self.assertEqual(service.get("/health", {"Host": host}).status, 200, host)
            for host in ("evil.example", "localhost.evil.example", "hub.example.evil", "127.0.0.1.x",
                         "[::1", "", "a" * 1000, "localhost@evil", "2130706433", "evil:localhost"):
                answer = service.get("/health", {"Host": host})
                self.assertIn(answer.status, (400, 421), host)
                self.assertEqual(answer.headers["content-type"], "application/problem+json")

    def test_pages_from_elsewhere_may_do_nothing(self):
        with serve(OPEN) as service:
            own = {"Host": service.address, "Origin": "http://" + service.address}
            event = {"ce-type": "shown"}
            self.assertEqual(service.post("/v1/events", "x", {**own, **event}).status, 202)
            for name, value in (("Origin", "https://evil.example"), ("Origin", "null"),
                                ("Origin", "http://localhost:1"), ("Sec-Fetch-Site", "cross-site"),
                                ("Sec-Fetch-Site", "same-site"),
                                ("Origin", own["Origin"] + ".evil.example")):
                answer = service.post("/v1/events", "x", {**own, **event, name: value})
                self.assertEqual(answer.status, 403, (name, value))
                answer = service.get("/v1/stats", {"Host": service.address, name: value})
                self.assertEqual(answer.status, 403, (name, value))
            for site in ("same-origin", "none"):
                headers = {**own, **event, "Sec-Fetch-Site": site}
                self.assertEqual(service.post("/v1/events", "x", headers).status, 202)
            answer = service.call("OPTIONS", "/v1/events", headers={
                "Origin": "https://evil.example", "Access-Control-Request-Method": "POST"})
            self.assertNotEqual(answer.status // 100, 2)
            for answer in (answer, service.get("/health", own)):
                self.assertFalse([name for name in answer.headers if "access-control" in name])


class Listening(unittest.TestCase):
    def refused(self, listen, words, config=OPEN):
        text = config.replace("HTTP", f"{{plugin: http, config: {{listen: {listen}}}}}")
        pathlib.Path("atamo.yaml").write_text(text, encoding="utf-8")
        result = atamo("run", "--for", "1s", "atamo.yaml")
        self.assertNotEqual(result.returncode, 0, listen)
        self.assertIn(words, result.stderr)

    def test_who_could_be_reached_from_elsewhere_needs_tokens(self):
        for listen in ('"0.0.0.0:0"', '"[::]:0"', '["127.0.0.1:0", "0.0.0.0:0"]'):
            self.refused(listen, "can be reached from other machines")
        TOKENS.unlink(missing_ok=True)
        pathlib.Path("atamo.yaml").write_text("access: {tokens: tokens.json}\n", encoding="utf-8")
        token = new("anna", "--scope", "*")
        with serve("access: {tokens: tokens.json}\n" + OPEN, listen="0.0.0.0:0") as service:
            service.address = service.address.replace("0.0.0.0", "127.0.0.1")
            self.assertEqual(service.get("/v1/stats").status, 401)
            self.assertEqual(service.get("/v1/stats", bearer(token)).status, 200)
            text = pathlib.Path("atamo.yaml").read_text(encoding="utf-8")
            pathlib.Path("atamo.yaml").write_text(text.partition("\n")[2], encoding="utf-8")
            service.hub.process.send_signal(signal.SIGHUP)
            service.hub.line_of("reloaded", "goes on as before")
            self.assertIn(service.get("/v1/stats").status, (401, 403))

    def test_addresses_that_are_none_are_told(self):
        for listen in ("localhost:0", '"127.0.0.1"', '":8080"', '"127.0.0.1:65536"', '"[::1:80"',
                       "here", '"unix:"', f'"unix:{"x" * 200}"', '"127.0.0.1:-1"', '"]:1"',
                       '"[]:1"', '""'):
            self.refused(listen, "is no address" if listen != '""' else "")
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self.refused(f'"127.0.0.1:{taken.getsockname()[1]}"', "Address already in use")

    def test_a_unix_socket_serves_and_is_taken_away_at_the_end(self):
        path = pathlib.Path("hub.sock").resolve()
        with serve(OPEN, listen=f"unix:{path}") as service:
            self.assertEqual(service.address, f"unix:{path}")
            self.assertTrue(stat.S_ISSOCK(path.stat().st_mode))
            self.assertEqual(stat.S_IMODE(path.stat().st_mode) & 0o007, 0)
            self.assertEqual(service.event("shown", {}, "?wait=5s").json()["state"], "done")
            self.assertEqual(service.get("/health", {"Host": "any.name"}).status, 200)
            self.refused_by_running(path)
            self.assertEqual(service.get("/health").status, 200)
            self.assertEqual(service.hub.stop(), 0)
        self.assertFalse(path.exists())

    def refused_by_running(self, path):
        text = OPEN.replace("HTTP", f'{{plugin: http, config: {{listen: "unix:{path}"}}}}')
        pathlib.Path("second.yaml").write_text(text, encoding="utf-8")
        result = atamo("run", "second.yaml")
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("in use", result.stderr)

    def test_a_socket_of_a_hub_that_was_killed_is_replaced_and_a_file_is_not(self):
        path = pathlib.Path("killed.sock").resolve()
        with serve(OPEN, listen=f"unix:{path}") as service:
            service.hub.stop(signal.SIGKILL)
        self.assertTrue(path.exists())
        with serve(OPEN, listen=f"unix:{path}") as service:
            self.assertEqual(service.get("/health").status, 200)
        file = pathlib.Path("precious").resolve()
        file.write_text("kept", encoding="utf-8")
        self.refused(f'"unix:{file}"', "in use")
        self.assertEqual(file.read_text(encoding="utf-8"), "kept")

    def test_several_addresses_serve_the_same_hub(self):
        path = pathlib.Path("both.sock").resolve()
        with serve(OPEN.replace("HTTP", '{plugin: http, config: '
                                        f'{{listen: ["127.0.0.1:0", "[::1]:0", "unix:{path}"]}}}}')
                   ) as service:
            others = [service.hub.line_of("listening on ").partition("listening on ")[2]
                      for _ in range(2)]
            for number, address in enumerate((service.address, *others)):
                one = Service(service.hub, address.removeprefix("http://"))
                self.assertEqual(one.event("shown", {}, "?wait=5s", id=f"e-{number}").status, 200)
                self.assertEqual(one.stats()["accepted"], number + 1)


class Paths(unittest.TestCase):
    def test_paths_lead_nowhere_else(self):
        with serve(OPEN) as service:
            for path in ("/..", "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/v1/../health",
                         "/%2e/health", "//health", "/health/", "/v1", "/v1/", "/V1/stats",
                         "/v1%2fstats", "/health%00", "/health%00.html", "/he%61lth", "/index.php",
                         "/" + "a" * 8000, "/v1/events//why", "/v1/events/a/b/why", "/v1/stats;x",
                         "/health#x"):
                with self.subTest(path):
                    answer = service.get(path)
                    if path == "/health#x":
                        self.assertEqual(answer.status, 200)
                    else:
                        self.assertIn(answer.status, (400, 404), answer)
                        self.assertNotIn(b"root:", answer.body)
            for name in ("a%00b", "%zz", "%", "%4", "a" * 512):
                self.assertEqual(service.get("/v1/events/" + name).status, 400, name)
            self.assertEqual(service.get("/v1/events/" + "%41" * 511).status, 404)
            for long in ("/" + "a" * 30000, "/health?" + "a=b&" * 8000):
                self.assertIn(service.get(long).status, (414, 431))
            answer = service.get("/health", {"X-Long": "a" * 30000})
            self.assertEqual(answer.status, 431)
            answer = service.get("/health", {f"X-{number}": "a" for number in range(2000)})
            self.assertEqual(answer.status, 431)


if __name__ == "__main__":
    unittest.main()
