"""How the client commands find a hub, show who asks, and say what a hub refuses."""

import json
import os
import pathlib
import shutil
import ssl
import subprocess
import unittest

from mock_hub import Answer, Cut, MockHub, problem
from program import ATAMO, LIMIT_S, atamo

STATS = {"t_us": 1, "accepted": 12, "in_flight": 3, "durable": True}
SETTINGS = pathlib.Path.home() / ".config/atamo/client.yaml"
FAILED, USAGE, NOT_FOUND, DENIED, TIMEOUT, INVALID = 1, 2, 3, 4, 5, 6


def with_environment(*words, **more):
    return subprocess.run([ATAMO, *words], env=os.environ | more, text=True, capture_output=True,
                          timeout=LIMIT_S)


def statistics(answer=Answer(STATS), **settings):
    return MockHub({"GET /v1/stats": answer}, **settings)


class Settings(unittest.TestCase):
    def setUp(self):
        SETTINGS.parent.mkdir(parents=True, exist_ok=True)
        self.addCleanup(SETTINGS.unlink, missing_ok=True)

    def test_the_command_line_goes_before_the_environment_and_that_before_the_file(self):
        with statistics() as first, statistics() as second, statistics() as third:
            SETTINGS.write_text(f"url: {third.url}\ntoken: of-the-file\n", encoding="utf-8")
            atamo("stats")
            self.assertEqual(third.asked[0].headers["Authorization"], "Bearer of-the-file")
            with_environment("stats", ATAMO_URL=second.url, ATAMO_TOKEN="of-the-environment")
            self.assertEqual(second.asked[0].headers["Authorization"], "Bearer of-the-environment")
            with_environment("stats", "--url", first.url, "--token", "of-the-line",
                             ATAMO_URL=second.url, ATAMO_TOKEN="other")
            self.assertEqual(first.asked[0].headers["Authorization"], "Bearer of-the-line")
            self.assertEqual(len(second.asked + third.asked), 2)

    def test_the_file_of_settings_is_looked_for_where_xdg_says(self):
        folder = pathlib.Path("config/atamo")
        folder.mkdir(parents=True)
        with statistics() as hub:
            (folder / "client.yaml").write_text(f"url: {hub.url}/\n", encoding="utf-8")
            result = with_environment("stats", XDG_CONFIG_HOME=os.path.abspath("config"))
            self.assertEqual(result.returncode, 0, result.stderr)

    def test_a_token_in_a_file_is_not_seen_in_the_list_of_processes(self):
        pathlib.Path("token").write_text("secret-1\n", encoding="utf-8")
        with statistics() as hub:
            self.assertEqual(atamo("stats", "--url", hub.url, "--token", "@token").returncode, 0)
            self.assertEqual(hub.asked[0].headers["Authorization"], "Bearer secret-1")
            self.assertEqual(atamo("stats", "--url", hub.url, "--token", "@none").returncode,
                             NOT_FOUND)
            self.assertEqual(len(hub.asked), 1)

    def test_a_token_cannot_bring_headers_of_its_own(self):
        with statistics() as hub:
            result = atamo("stats", "--url", hub.url, "--token", "a\r\nX-Other: b")
            self.assertEqual(result.returncode, USAGE)
            self.assertIn("control characters", result.stderr)
            self.assertEqual(hub.asked, [])

    def test_a_hub_may_listen_on_a_unix_socket(self):
        with statistics(socket="hub.sock") as hub:
            result = atamo("stats", "--url", hub.url)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertIn("accepted         12\n", result.stdout)

    def test_a_hub_on_this_machine_is_asked_without_a_proxy(self):
        with statistics() as hub:
            result = with_environment("stats", "--url", hub.url, http_proxy="http://127.0.0.1:1")
            self.assertEqual(result.returncode, 0, result.stderr)

    def test_mistakes_in_the_file_of_settings_are_shown_with_their_place(self):
        SETTINGS.write_text("url: http://127.0.0.1:1\ntokn: x\n", encoding="utf-8")
        result = atamo("stats")
        self.assertEqual(result.returncode, INVALID)
        self.assertIn('client.yaml:2:1: error: there is no setting "tokn": did you mean "token"?',
                      result.stderr)
        SETTINGS.write_text("token: 12\n", encoding="utf-8")
        self.assertIn("expected text", atamo("stats").stderr)
        SETTINGS.write_text("- url\n", encoding="utf-8")
        self.assertEqual(atamo("stats").returncode, INVALID)

    def test_an_address_that_is_none_is_a_usage_error(self):
        for url in ("localhost:8080", "ftp://host/", "http://", "unix:relative"):
            result = atamo("stats", "--url", url)
            self.assertEqual(result.returncode, USAGE)
            self.assertIn("expected an address such as", result.stderr)

    @unittest.skipUnless(shutil.which("openssl"), "no openssl to make a certificate with")
    def test_a_certificate_is_checked_against_those_of_the_file(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                        "-subj", "/CN=hub", "-addext", "subjectAltName=IP:127.0.0.1",
                        "-keyout", "key.pem", "-out", "hub.pem"], check=True, capture_output=True)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain("hub.pem", "key.pem")
        with statistics(tls=tls) as hub:
            result = atamo("stats", "--url", hub.url, "--cacert", "hub.pem")
            self.assertEqual(result.returncode, 0, result.stderr)
            result = atamo("stats", "--url", hub.url, "--token", "secret")
            self.assertEqual(result.returncode, FAILED)
            self.assertIn("certificate", result.stderr)
            self.assertEqual(len(hub.asked), 1)

    def test_certificates_that_are_not_there_are_a_usage_error(self):
        result = atamo("stats", "--cacert", "none.pem")
        self.assertEqual(result.returncode, USAGE)
        self.assertIn("none.pem: the file of certificates cannot be read", result.stderr)

    def test_a_configuration_and_an_address_are_too_much(self):
        for command in (["trace", "hub.yaml", "1"], ["dead", "list", "hub.yaml"],
                        ["dead", "show", "hub.yaml", "1"], ["dead", "drop", "hub.yaml", "--all"],
                        ["rules", "list", "hub.yaml"],
                        ["rules", "test", "hub.yaml", "--event", "e.json"]):
            result = atamo(*command, "--url", "http://127.0.0.1:1")
            self.assertEqual(result.returncode, USAGE)
            self.assertIn("--url asks a running hub, CONFIG reads here", result.stderr)


class Refusals(unittest.TestCase):
    def refused(self, answer, code, *said):
        with statistics(answer) as hub:
            result = atamo("stats", "--url", hub.url)
            self.assertEqual(result.returncode, code, result.stderr)
            self.assertEqual(result.stdout, "")
            for words in said:
                self.assertIn(words, result.stderr)

    def test_are_printed_as_the_hub_says_them_and_their_code_says_what_kind_they_are(self):
        self.refused(problem(400, "no such query", "Bad Request"), INVALID,
                     "atamo: Bad Request: no such query")
        self.refused(problem(401, "no token", "Unauthorized"), DENIED, "no token", "ATAMO_TOKEN")
        self.refused(problem(403, "the scope telemetry:read is missing", "Forbidden"), DENIED,
                     "telemetry:read")
        self.refused(problem(404, "no such thing"), NOT_FOUND, "no such thing")
        self.refused(problem(409, "written in a file"), FAILED, "written in a file")
        self.refused(problem(422, "not like this"), INVALID, "not like this")
        self.refused(problem(504, "it still runs"), TIMEOUT, "it still runs")
        self.refused(problem(429, "too fast", headers={"Retry-After": "7"}), FAILED, "too fast",
                     "again in 7 s")

    def test_are_json_for_scripts(self):
        with statistics(problem(403, "the scope is missing")) as hub:
            result = atamo("stats", "--url", hub.url, "--json")
            self.assertEqual(json.loads(result.stdout)["detail"], "the scope is missing")
            self.assertIn("the scope is missing", result.stderr)

    def test_of_something_that_is_no_hub_are_said_by_their_number(self):
        self.refused(Answer(status=502, text="<html>", kind="text/html"), FAILED,
                     "answers with status 502")

    def test_cannot_move_the_cursor(self):
        self.refused(problem(400, "a\033[2Jb\u009bc"), INVALID, "a?[2Jb??c")

    def test_answers_that_are_broken_are_failures(self):
        self.refused(Answer(text='{"accepted": '), FAILED, "answers something that is not JSON")
        self.refused(Cut(), FAILED, "Empty reply from server")

    def test_a_hub_that_is_not_there_is_said_to_be(self):
        result = atamo("stats", "--url", "http://127.0.0.1:1")
        self.assertEqual(result.returncode, FAILED)
        self.assertIn("http://127.0.0.1:1: Failed to connect", result.stderr)

    def test_redirects_are_not_followed_as_the_token_is_for_this_hub_alone(self):
        with statistics() as other, \
                statistics(Answer(status=307, Location=f"{other.url}/v1/stats")) as hub:
            result = atamo("stats", "--url", hub.url, "--token", "t")
            self.assertEqual(result.returncode, FAILED)
            self.assertEqual(other.asked, [])


if __name__ == "__main__":
    unittest.main()
