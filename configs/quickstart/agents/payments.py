"""A payment service, as far as this shop needs one: it refunds, unless a case is disputed.

"fail" is for good: the hub does not try again but keeps the action as a dead letter, for a person
to look at. See chat.py for how an agent in Python works.
"""

import json
import sys

DISPUTED = {"1099"}


def refund(body):
    if body["order"] in DISPUTED:
        return {"outcome": "fail", "reason": f"order {body['order']} is disputed, a person decides"}
    return {"outcome": "done"}


def main():
    for text in sys.stdin:
        action = json.loads(text)
        if "cancel" in action:
            continue
        print(json.dumps({"id": action["id"], **refund(action["body"])}), flush=True)


main()
