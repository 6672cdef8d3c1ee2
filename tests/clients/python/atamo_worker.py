"""A worker for Atamo's `exec` agent: reads actions as JSON lines, answers with JSON lines.

    from atamo_worker import done, fail, retry, run

    def handle(action):
        return done({"hello": action["body"]["name"]})

    run(handle)

The handler gets the action as a dict (see the README of the `exec` plugin) and returns what done(),
retry() or fail() made. An exception is a permanent failure with its text as the reason.
"""

import json
import os
import sys

CHUNK = 1 << 18


def done(response=None):
    """The action is done; `response` goes to the client that asked, if there is one."""
    return {"outcome": "done"} if response is None else {"outcome": "done", "response": response}


def retry(reason, after_ms=0):
    """It failed this time; try again, not before `after_ms`."""
    return {"outcome": "retry", "reason": reason, "retry_after_ms": after_ms}


def fail(reason):
    """It failed for good."""
    return {"outcome": "fail", "reason": reason}


def _batches(stream):
    """Complete lines, as many at a time as one read brings."""
    rest = b""
    while chunk := os.read(stream, CHUNK):
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop()
        yield lines


def _answer(handle, line):
    action = json.loads(line)
    if "cancel" in action:
        return None
    try:
        answer = handle(action)
    except Exception as error:  # whatever the handler raises is an answer, not the end
        answer = fail(f"{type(error).__name__}: {error}")
    return {"id": action["id"], **answer}


def run(handle):
    """Serve until the hub closes our standard input."""
    for lines in _batches(sys.stdin.fileno()):
        answers = [json.dumps(a) for a in (_answer(handle, line) for line in lines if line) if a]
        if answers:
            sys.stdout.write("\n".join(answers) + "\n")
            sys.stdout.flush()
