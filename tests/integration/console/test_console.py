"""The console in headless Chromium against hubs that run.

Chromium is Debian's; its driver playwright-core comes from npm into a cache below build/. Without them,
or in a build without the console, the test is skipped, but not where CI is set.
"""

import os
import pathlib
import subprocess
import sys

from npm import SKIPPED, fetch
from program import SOURCES, Running, atamo

HERE = SOURCES / "tests" / "console"
LIBRARY = "playwright-core/index.mjs"
CONFIG = """
hub: {{recent: 2000}}
{access}
event_providers: {{web: {{plugin: http, config: {{listen: "127.0.0.1:0"}}}}}}
rules_folder: rules{number}.d
agents:
  log: {{plugin: log}}
  ledger: {{plugin: flaky, config: {{fail_first: 1}}, retry: {{attempts: 5, base: 10ms}}}}
  fax: {{plugin: flaky, config: {{outcome: fail}}}}
  rates: {{plugin: exec, config: {{command: [python3, {folder}/rates.py]}}}}
rules:
  - {{id: orders, on: order.*, then: [{{agent: ledger, action: post}}]}}
  - {{id: others, on: other, then: [{{agent: log, action: note}}]}}
  - {{id: faxes, on: fax, then: [{{agent: fax, action: send}}]}}
  - {{id: rates, on: rates, then: [{{agent: rates, action: tell}}]}}
"""
RATES = """
import json, sys

for text in sys.stdin:
    line = json.loads(text)
    if "cancel" in line:
        answers = [{"id": line["cancel"], "outcome": "done"}]
    else:
        answers = [{"id": line["id"], "progress": 0.25, "text": "begun"},
                   {"id": line["id"], "progress": 0.75, "text": "nearly there"}]
        answers += [{"id": line["id"], "response": {"rate": rate}, "key": key}
                    for rate in range(3) for key in ("EUR/USD", "EUR/GBP")]
    sys.stdout.write("".join(json.dumps(answer) + "\\n" for answer in answers))
    sys.stdout.flush()
"""


def text_of(number, access):
    return CONFIG.format(access=access, number=number, folder=pathlib.Path.cwd())


def start(number, access):
    path = pathlib.Path(f"hub{number}.yaml")
    path.write_text(text_of(number, access))
    hub = Running(str(path))
    url = hub.line_of("listening on ").partition("listening on ")[2]
    return hub, url


def main():
    if not pathlib.Path("/usr/bin/chromium").exists():
        print("no chromium")
        return 1 if os.environ.get("CI") else SKIPPED
    library = fetch("console", HERE, LIBRARY) / "node_modules" / LIBRARY
    pathlib.Path("rates.py").write_text(RATES)
    pathlib.Path("hub2.yaml").write_text(text_of(2, "access: {tokens: t.json}"))
    token = atamo("token", "new", "hub2.yaml", "alice", "--scope", "*").stdout.strip()
    hub, url = start(1, "")
    with hub:
        guarded, guarded_url = start(2, "access: {tokens: t.json}")
        with guarded:
            words = ["node", HERE / "steps.mjs", library, url, guarded_url, token]
            result = subprocess.run(words + sys.argv[1:], timeout=150)
            return result.returncode


sys.exit(main())
