"""Bearer tokens as their operator meets them: made, listed, revoked; what they print and what not."""

import json
import os
import pathlib
import re
import stat
import subprocess
import time
import unittest

from program import ATAMO, LIMIT_S, Running, atamo

CONFIG = """
access: {tokens: secrets/tokens.json}
agents: {out: {plugin: log}}
event_providers: {input: {plugin: stdin}}
rules: [{id: show, then: {agent: out, action: show}}]
"""
FILE = pathlib.Path("hub/secrets/tokens.json")
TOKEN = r"atamo_([a-z2-7]{10})_[A-Za-z0-9_-]{43}"
FAILED, USAGE, NOT_FOUND, INVALID = 1, 2, 3, 6
DAY_US = 86400 * 1000000


def new(*words):
    return atamo("token", "new", "hub/atamo.yaml", *words)


def listed():
    return json.loads(atamo("token", "list", "hub/atamo.yaml", "--json").stdout)


class Token(unittest.TestCase):
    def setUp(self):
        pathlib.Path("hub/secrets").mkdir(parents=True, exist_ok=True)
        pathlib.Path("hub/atamo.yaml").write_text(CONFIG, encoding="utf-8")
        FILE.unlink(missing_ok=True)
        os.umask(0o077)

    def refused(self, words, code, said):
        with self.subTest(" ".join(words)):
            result = atamo("token", *words)
            self.assertEqual(result.returncode, code, result.stderr)
            self.assertIn(said, result.stderr)
            self.assertEqual(result.stdout, "")

    def test_a_new_token_is_printed_once_and_only_its_hash_is_kept(self):
        result = new("anna")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(result.stdout, rf"\A{TOKEN}\n\Z")
        name = re.match(TOKEN, result.stdout).group(1)
        self.assertIn(f"token {name} of anna: keep it, it is not shown again", result.stderr)
        self.assertNotIn(result.stdout.strip(), result.stderr)
        secret = result.stdout.strip()[17:]
        self.assertNotIn(secret, FILE.read_text(encoding="utf-8"))
        self.assertEqual(stat.S_IMODE(FILE.stat().st_mode), 0o600)
        shown = atamo("token", "list", "hub/atamo.yaml").stdout
        self.assertIn(f"{name}  anna  events:write  created 20", shown)
        self.assertNotIn(secret, shown)
        self.assertEqual(os.listdir("hub/secrets"), ["tokens.json"])
        self.assertEqual(new("ben", "--quiet").stderr, "")

    def test_a_list_has_all_that_is_known_and_no_hash(self):
        before = time.time() * 1e6
        made = json.loads(new("anna", "--scope", "rules:read,events:write", "--expires", "90d",
                              "--tenant", "acme", "--note", 'for "ci"', "--json").stdout)
        self.assertRegex(made.pop("token"), rf"\A{TOKEN}\Z")
        new("anna", "--scope", "*")
        first, second = listed()
        self.assertEqual(first, made)
        self.assertEqual(first["scopes"], ["events:write", "rules:read"])
        self.assertEqual((first["user"], first["tenant"], first["note"], first["expired"]),
                         ("anna", "acme", 'for "ci"', False))
        self.assertLess(abs(first["created_us"] - before), 60e6)
        self.assertEqual(first["expires_us"] - first["created_us"], 90 * DAY_US)
        self.assertEqual(set(second), {"id", "user", "scopes", "created_us", "expired"})
        self.assertEqual(len(second["scopes"]), 7)
        text = atamo("token", "list", "hub/atamo.yaml").stdout
        self.assertIn("anna of acme  events:write,rules:read  created ", text)
        self.assertIn(', expires 20', text)
        self.assertIn('  for "ci"\n', text)
        self.assertIn("anna  *  created ", text)
        for hidden in json.loads(FILE.read_text(encoding="utf-8"))["tokens"]:
            self.assertNotIn(hidden["hash"], text + json.dumps(listed()))

    def test_a_third_token_of_a_user_waits_until_one_is_revoked_or_expired(self):
        new("anna")
        new("anna")
        names = [token["id"] for token in listed()]
        self.refused(["new", "hub/atamo.yaml", "anna"], FAILED, "revoke one of them first")
        revoked = atamo("token", "revoke", "hub/atamo.yaml", names[0])
        self.assertEqual(revoked.stdout, f"token {names[0]} of anna is revoked\n")
        self.assertEqual([token["id"] for token in listed()], names[1:])
        self.refused(["revoke", "hub/atamo.yaml", names[0]], NOT_FOUND, "no token has the id")
        kept = json.loads(FILE.read_text(encoding="utf-8"))
        kept["tokens"][0]["expires"] = "2026-01-01T00:00:00Z"
        FILE.write_text(json.dumps(kept), encoding="utf-8")
        self.assertTrue(listed()[0]["expired"])
        self.assertIn(", expired 2026-01-01", atamo("token", "list", "hub/atamo.yaml").stdout)
        self.assertEqual(new("anna").returncode, 0)
        self.assertEqual(new("anna").returncode, 0)
        self.assertEqual(new("anna").returncode, FAILED)

    def test_of_many_made_at_once_none_is_lost(self):
        users = [f"user-{number}" for number in range(12)]
        makers = [subprocess.Popen([ATAMO, "token", "new", "hub/atamo.yaml", user], text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                  for user in users]
        tokens = [maker.communicate(timeout=LIMIT_S)[0] for maker in makers]
        self.assertEqual([maker.returncode for maker in makers], [0] * len(makers))
        self.assertEqual(len(set(tokens)), len(users))
        self.assertEqual([token["user"] for token in listed()], sorted(users))

    def test_a_token_that_cannot_be_printed_is_taken_back(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            result = subprocess.run([ATAMO, "token", "new", "hub/atamo.yaml", "anna"], text=True,
                                    stdout=full, stderr=subprocess.PIPE, timeout=LIMIT_S)
        self.assertEqual(result.returncode, FAILED)
        self.assertIn("taken back", result.stderr)
        self.assertEqual(listed(), [])
        self.assertIn("no tokens", atamo("token", "list", "hub/atamo.yaml").stderr)

    def test_words_that_make_no_token(self):
        start = ["new", "hub/atamo.yaml"]
        self.refused([*start, "anna", "--scope", "event:write"], USAGE,
                     'did you mean "events:write"?')
        self.refused([*start, "anna", "--scope", "rules:read,"], USAGE, 'no scope ""')
        self.refused([*start, "anna", "--scope", "x*"], USAGE, "atamo help token new lists them")
        self.refused([*start, "anna", "--expires", "soon"], USAGE, "expected a duration")
        self.refused([*start, "anna", "--expires", "4000d"], USAGE, "at most 3650d")
        self.refused([*start, "anna", "--expires", "0"], USAGE, "expected a duration")
        self.refused([*start, ""], USAGE, "cannot be a user")
        self.refused([*start, "a" * 128], USAGE, "cannot be a user")
        self.refused([*start, "an\nna"], USAGE, "cannot be a user")
        self.refused([*start, "anna", "--tenant", ""], USAGE, "cannot be a tenant")
        self.refused([*start, "anna", "--note", "a" * 201], USAGE, "at most 200 bytes")
        self.refused(start, USAGE, "usage: atamo token new")
        self.assertFalse(FILE.exists())

    def test_files_that_are_not_there_or_not_right(self):
        for words in (["list"], ["revoke"], ["new"]):
            last = [] if words == ["list"] else ["abcdefghij"]
            self.refused([*words, "none.yaml", *last], NOT_FOUND, "none.yaml")
            pathlib.Path("none.yaml").write_text("rules: []\n", encoding="utf-8")
            self.refused([*words, "none.yaml", *last], INVALID, "access: {tokens: FILE}")
            pathlib.Path("none.yaml").write_text("", encoding="utf-8")
            self.refused([*words, "none.yaml", *last], INVALID, "access: {tokens: FILE}")
            pathlib.Path("none.yaml").write_text("access: {token: x}\n", encoding="utf-8")
            self.refused([*words, "none.yaml", *last], INVALID, 'did you mean "tokens"?')
            pathlib.Path("none.yaml").unlink()
        self.refused(["list", "hub/atamo.yaml"], NOT_FOUND, "tokens.json")
        self.refused(["revoke", "hub/atamo.yaml", "abcdefghij"], NOT_FOUND, "tokens.json")
        FILE.write_text('{"version": 1,\n "tokens": [{}]}', encoding="utf-8")
        for words in (["list", "hub/atamo.yaml"], ["new", "hub/atamo.yaml", "anna"],
                      ["revoke", "hub/atamo.yaml", "abcdefghij"]):
            self.refused(words, INVALID, "tokens.json:2:13: error: a token needs the member")

    def test_check_and_run_ask_for_the_file_and_tests_of_rules_do_not(self):
        for command in ("check", "run"):
            result = atamo(command, "hub/atamo.yaml", text="")
            self.assertEqual(result.returncode, INVALID)
            self.assertIn("tokens.json: error: cannot read it", result.stderr)
            self.assertIn("atamo token new CONFIG USER", result.stderr)
        pathlib.Path("event.json").write_text('{"type": "a.b"}', encoding="utf-8")
        self.assertEqual(atamo("rules", "test", "hub/atamo.yaml", "--event", "event.json")
                         .returncode, 0)
        new("anna")
        self.assertEqual(atamo("check", "hub/atamo.yaml").returncode, 0)
        self.assertEqual(atamo("run", "hub/atamo.yaml", text="").returncode, 0)

    def test_a_reload_with_a_damaged_file_changes_nothing(self):
        new("anna")
        with Running("hub/atamo.yaml") as hub:
            hub.shows('{"n": 0}', "by show")
            FILE.write_text("{", encoding="utf-8")
            self.assertIn("goes on as before", hub.reload())
            new_file = {"version": 1, "tokens": []}
            FILE.write_text(json.dumps(new_file), encoding="utf-8")
            self.assertIn("reloaded", hub.reload())
            self.assertEqual(hub.end_of_input(), 0)


if __name__ == "__main__":
    unittest.main()
