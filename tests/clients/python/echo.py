#!/usr/bin/env python3
"""Answers every action with its own body; `fail`, `retry`, `parts`... do as they are called."""

import os
import sys

from atamo_worker import Retry, done, fail, run


def parts(action):
    action.progress(0.5, "half")
    action.respond({"part": 1})
    action.emit("followed", {"from": action["key"]}, subject="s-1")
    return done({"part": 2})


def not_yet(action):
    if action["attempt"] < 3:
        raise Retry("not yet", 1)


def die(action):
    if action["attempt"] == 1:
        os._exit(3)


def odd(action):
    raise ValueError("odd")


def complain(action):
    """Each spelling of a level that the hub knows, and a line without one."""
    print("ERROR: it is odd", file=sys.stderr)
    print("[warn] it is strange", file=sys.stderr)
    print("DEBUG it is so", file=sys.stderr)
    print("it is as it is", file=sys.stderr)
    print("x" * 5000, file=sys.stderr, flush=True)


def environment(action):
    return done({name: os.environ.get(name) for name in ("TOKEN", "ATAMO_TEST_SECRET")})


KINDS = {
    "fail": lambda action: fail("as you wish"),
    "retry": not_yet,
    "die": die,
    "raise": odd,
    "parts": parts,
    "complain": complain,
    "environment": environment,
    "whole": lambda action: done(dict(action)),
    "bytes": lambda action: done(list(action.data)),
    "garbage": lambda action: print("this goes to stderr"),
}


def handle(action):
    kind = KINDS.get(action["action"])
    return kind(action) if kind else done(action.get("body"))


if __name__ == "__main__":
    run(handle, threads=int(sys.argv[1]) if len(sys.argv) > 1 else 0)
