#!/usr/bin/env python3
"""Answers every action with its own body; `fail` and `retry` do as they are called."""

import os
import sys

from atamo_worker import done, fail, retry, run


def handle(action):
    kind = action["action"]
    if kind == "fail":
        return fail("as you wish")
    if kind == "retry" and action["attempt"] < 3:
        return retry("not yet", 1)
    if kind == "die":
        if action["attempt"] == 1:
            os._exit(3)
        return done()
    if kind == "raise":
        raise ValueError("odd")
    if kind == "garbage":
        print("this is no JSON", flush=True)
    if kind == "complain":
        print("ERROR: something is odd", file=sys.stderr, flush=True)
    if kind == "environment":
        return done({name: os.environ.get(name) for name in ("TOKEN", "ATAMO_TEST_SECRET")})
    return done(action.get("body"))


if __name__ == "__main__":
    run(handle)
