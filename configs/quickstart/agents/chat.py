"""A chat agent: turns each action into one line for a channel.

An agent for the exec plugin is a program that reads one action a line from stdin, as JSON, and
writes its answers to stdout in the same way. What it prints to stderr goes to the hub's log.
"""

import json
import sys


def line_for(body):
    link = body.get("link")
    return f"{body['channel']}  {body['text']}" + (f"  {link}" if link else "")


def main():
    for text in sys.stdin:
        action = json.loads(text)
        if "cancel" in action:
            continue  # nothing here takes long enough to be cancelled
        answer = {"id": action["id"]}
        try:
            posted = {"posted": line_for(action["body"])}
            print(json.dumps({**answer, "response": posted}))
            print(json.dumps({**answer, "outcome": "done"}))
        except (KeyError, TypeError) as error:
            reason = f"no channel or text: {error}"
            print(json.dumps({**answer, "outcome": "fail", "reason": reason}))
        sys.stdout.flush()


main()
