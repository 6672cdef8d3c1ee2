"""Plugins in Python: agents that perform actions, auditors that hear telemetry.

Happy path: the hub makes an instance of a registered class for each entry of the configuration that
names it, and calls it on its threads, one after the other or several at once as the mode says. What a
handler returns is the response, and the action is done. What it raises becomes the outcome: Retry is
tried again, anything else fails for good, with its text as the reason. What start() raises is a
problem of the configuration.

An inline agent runs on the hub's own thread, which then waits for the interpreter: it should be short.
A pool agent is called on threads of its own; it is what most agents in Python should be.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Callable, ClassVar, Optional, Sequence, Union, overload

from ._actions import Action, Host
from ._library import lib
from ._telemetry import Record

INLINE: int = lib.ATAMO_INLINE
POOL: int = lib.ATAMO_POOL
DEBUG: int = lib.ATAMO_LOG_DEBUG
INFO: int = lib.ATAMO_LOG_INFO
WARN: int = lib.ATAMO_LOG_WARN
ERROR: int = lib.ATAMO_LOG_ERROR


class Later:
    """What a handler returns when the action will be settled later, by whoever has it."""

    def __repr__(self) -> str:
        return "atamo.LATER"


LATER = Later()


class Retry(Exception):
    """Raised by a handler: it failed this time, try again, not before `after` seconds."""

    def __init__(self, reason: str, after: float = 0) -> None:
        super().__init__(reason)
        self.after = after


class Fail(Exception):
    """Raised by a handler: it failed for good, and that is no mistake of the handler."""


@dataclasses.dataclass(frozen=True)
class Option:
    """A configuration key of a plugin; its value is in the instance's `config`.

    `kind`: text, integer, number, boolean, duration (seconds), size (bytes), choice, list, map or
    json. `default` as it would be written in YAML.
    """

    name: str
    about: str  # one sentence
    kind: str = "text"
    default: Optional[str] = None
    required: bool = False
    secret: bool = False
    choices: Sequence[str] = ()


class Plugin:
    """What agents and auditors have in common."""

    id: ClassVar[str] = ""  # "" makes it of the class's name: ThumbNails is thumb-nails
    version: ClassVar[str] = "1.0.0"
    options: ClassVar[Sequence[Option]] = ()

    name: str  # of the instance, in the configuration
    config: dict[str, Any]  # its options
    _host: Host

    def start(self) -> None:
        """Begin; called when the configuration is taken."""

    def drain(self) -> None:
        """No new work follows. Actions that wait to be settled later are handed back after this."""

    def close(self) -> None:
        """The end."""

    def log(self, text: str, level: int = INFO) -> None:
        """Write a line into the log of the hub."""
        self._host.check()
        self._host.table.log(self._host.table, level, text.encode("utf-8", "replace"))


class Agent(Plugin):
    """Performs actions. The first line of the class's docstring tells people what it does."""

    mode: ClassVar[int] = POOL

    def handle(self, action: Action) -> object:
        """Perform one action. None: it is done; LATER; anything else is the response, and it is done.
        A generator responds with each thing that it yields."""
        raise NotImplementedError

    def cancel(self, action: Action, reason: str) -> None:
        """Nobody needs it any more. On the hub's own thread: must not block."""

    def room(self, action: Action) -> None:
        """respond() said Busy, and there is room again. On the hub's own thread: must not block."""


class Auditor(Plugin):
    """Hears of every step of each message's path, on a thread of its own."""

    def records(self, records: Sequence[Record], lost: int) -> None:
        """Take some records; `lost` were dropped before these."""
        raise NotImplementedError

    def idle(self) -> None:
        """There is nothing more just now."""


Handler = Callable[[Action], object]


class FunctionAgent(Agent):
    """What @agent makes of a function. It can still be called."""

    def __init__(self, function: Handler) -> None:
        self.handle = function  # type: ignore[assignment]
        self.__doc__ = function.__doc__

    def __call__(self, action: Action) -> object:
        return self.handle(action)


@overload
def agent(function: Handler) -> FunctionAgent: ...
@overload
def agent(*, id: str = "", mode: int = POOL,
          options: Sequence[Option] = ()) -> Callable[[Handler], FunctionAgent]: ...
def agent(function: Optional[Handler] = None, *, id: str = "", mode: int = POOL,
          options: Sequence[Option] = ()) -> Union[FunctionAgent, Callable[[Handler], FunctionAgent]]:
    """Make an agent of a function: `@agent` or `@agent(mode=INLINE)`. Its id is its name."""

    def make(handle: Handler) -> FunctionAgent:
        name = id or getattr(handle, "__name__", "").strip("_").replace("_", "-").lower()
        kind = type(name, (FunctionAgent,), {"id": name, "mode": mode, "options": options})
        made: FunctionAgent = kind(handle)
        return made

    return make if function is None else make(function)
