"""An agent: each action becomes a mail in the outbox of the user for whom it acts.

A mail server takes from there what it finds. An outbox that is not there may be there again later:
then the action is to be tried again.
"""

import json
import pathlib
import sys

for line in sys.stdin:
    action = json.loads(line)
    if "cancel" in action:
        continue
    user, mail = action["user"], action["body"]
    answer = {"id": action["id"], "outcome": "done"}
    try:
        pathlib.Path("outbox", user, action["key"] + ".txt").write_text(
            f"From: {user}@parcels.example\nTo: {mail['to']}\nSubject: {mail['subject']}\n\n"
            f"{mail['text']}\n")
    except OSError as error:
        answer |= {"outcome": "retry", "reason": f"outbox of {user}: {error.strerror}"}
    print(json.dumps(answer), flush=True)
