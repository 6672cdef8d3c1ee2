"""Atamo inside a Python program: open a hub, submit events, ask, listen, and write agents.

    import atamo

    @atamo.agent
    def greet(action):
        return {"hello": action.json()["name"]}

    with atamo.Hub(CONFIGURATION, plugins=[greet]) as hub, hub.client() as client:
        print(client.request("greet", {"name": "Ada"}).result()[0].json())

The README of bindings/python shows the rest. Errors are exceptions, named after the library's statuses.
"""

from ._actions import Action, Facts
from ._client import Client
from ._drafts import Fields
from ._errors import (Busy, Closed, ConfigError, Conflict, Damaged, Denied, Error, Exists, Full, Gone,
                      Invalid, Io, NoMemory, NotFound, Problem, Timeout, TooLarge, Unsupported)
from ._hub import Hub
from ._plugins import (DEBUG, ERROR, INFO, INLINE, LATER, POOL, WARN, Agent, Auditor, Fail, Option,
                       Plugin, Retry, agent)
from ._requests import Reply, ReplyKind, Request, Slow
from ._telemetry import Record, Step

__all__ = [
    "Action", "Agent", "Auditor", "Busy", "Client", "Closed", "ConfigError", "Conflict", "DEBUG",
    "Damaged", "Denied", "ERROR", "Error", "Exists", "Facts", "Fail", "Fields", "Full", "Gone", "Hub",
    "INFO", "INLINE", "Invalid", "Io", "LATER", "NoMemory", "NotFound", "Option", "POOL", "Plugin",
    "Problem", "Record", "Reply", "ReplyKind", "Request", "Retry", "Slow", "Step", "Timeout",
    "TooLarge", "Unsupported", "WARN", "agent",
]
