"""What the tests of the package share: the package of the build tree, and hubs to try it with."""

import os
import pathlib
import sys
import threading

BUILD = pathlib.Path(os.environ["ATAMO_BUILD_DIR"])
SOURCES = pathlib.Path(os.environ["ATAMO_SOURCE_DIR"])
LIMIT_S = 20
sys.path.insert(0, str(BUILD / "python"))

import atamo  # noqa: E402

QUIET = {"log": lambda level, instance, line: None}


def config(*agents, settings="{}", keys=""):
    """Each agent is asked by events of its name."""
    lines = [f"hub: {settings}", "agents:"]
    lines += [f"  {agent}: {{plugin: {agent}{keys}}}" for agent in agents]
    lines.append("rules:")
    lines += [f"  - {{id: {agent}, on: {agent}, then: {{agent: {agent}, action: do}}}}"
              for agent in agents]
    return "\n".join(lines)


def open_hub(*plugins, settings="{}", keys="", **more):
    """A hub with these agents."""
    names = [atamo._instances.Registration(plugin).id for plugin in plugins]
    return atamo.Hub(config(*names, settings=settings, keys=keys), plugins=plugins, **(QUIET | more))


class Gate:
    """Something that a test waits for."""

    def __init__(self):
        self._event = threading.Event()

    def open(self):
        self._event.set()

    def wait(self):
        assert self._event.wait(LIMIT_S), "it did not come"


def until(condition, client=None, limit_s=LIMIT_S):
    """Wait for a condition that other threads make true; a client dispatches meanwhile."""
    moment = threading.Event()
    for _ in range(limit_s * 1000):
        if condition():
            return
        if client is not None:
            client.dispatch()
        moment.wait(0.001)
    raise AssertionError("it did not come true")
