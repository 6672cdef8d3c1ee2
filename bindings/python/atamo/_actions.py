"""Actions: what an agent is asked to do, and the ways to answer.

Happy path: the agent reads the action, responds, and it is settled once: by what the handler returns or
raises, or by done(), retry() and fail(). All of it may happen on any thread, one at a time for each
action. What was read stays readable when the action is settled; what was not raises Gone then. An
action that is forgotten without being settled is handed back, to be tried again.
"""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

from ._drafts import Data, Draft, Fields, to_bytes
from ._errors import Busy, Closed, Gone, check
from ._library import NULL, bytes_of, from_buffer, lib, new, read_sized, sized, text_of

if TYPE_CHECKING:
    from typing_extensions import Unpack

_BUSY: int = lib.ATAMO_BUSY
_NS = 1_000_000_000
_HINT_S = 0.1  # room() is a hint: look again after this long


class _Structs(threading.local):
    """Structs that are used again and again; each thread has its own."""

    def __init__(self) -> None:
        self.response = sized("atamo_response")
        self.number = new("atamo_action *")
        self.outcome = sized("atamo_outcome")
        self.draft = Draft()


_structs = _Structs()


class Host:
    """The hub as one instance of a plugin knows it: functions of its table, looked up once."""

    def __init__(self, table: Any) -> None:
        self.table = table
        self.is_open = True  # until the instance is destroyed
        self.changed = threading.Condition()  # there may be room, or somebody wants no more
        self.body, self.info, self.event = table.body, table.info, table.event
        self.event_json, self.emit = table.event_json, table.emit
        self.respond, self.settle, self.name = table.respond, table.settle, table.name

    def check(self) -> None:
        if not self.is_open:
            raise Closed("this agent has ended")

    def tell(self) -> None:
        with self.changed:
            self.changed.notify_all()


class Facts(NamedTuple):
    """What atamo_action_info says."""

    type: str  # what the rule asked for
    agent: str  # the agent's name in the configuration
    rule: str
    user: str  # acts for this user; "" if nobody
    tenant: str
    attempt: int  # from 1
    attempts: int  # how many it may have in all
    message: int  # number of the message that caused it
    deadline: Optional[float]  # Unix seconds
    idempotency_key: int  # the same for every attempt of this action, and for no other
    flags: int


class Action:
    """One action. See the module."""

    __slots__ = ("_host", "_facts", "_body", "_waits", "number", "is_settled", "cancelled", "__weakref__")

    def __init__(self, host: Host, number: int, waits: bool) -> None:
        self._host = host
        self._facts: Optional[Facts] = None
        self._body: Optional[bytes] = None
        self._waits = waits
        self.number = number  # the handle that the hub knows it by
        self.is_settled = False
        self.cancelled = False  # nobody needs it any more; settling is still due

    # --- what is asked

    @property
    def facts(self) -> Facts:
        """Everything but the body, read at once."""
        facts = self._facts
        if facts is None:
            facts = self._facts = self._read()
        return facts

    def _read(self) -> Facts:
        self._host.check()
        info = sized("atamo_action_info")
        check(self._host.info(self._host.table, self.number, info))
        deadline = info.deadline_ns / _NS if info.deadline_ns else None
        return Facts(text_of(info.type), text_of(info.agent), text_of(info.rule), text_of(info.user),
                     text_of(info.tenant), info.attempt, info.attempts, info.message, deadline,
                     info.idempotency_key, info.flags)

    @property
    def type(self) -> str:
        """What the rule asked for: "send-email"."""
        return self.facts.type

    @property
    def user(self) -> str:
        return self.facts.user

    @property
    def attempt(self) -> int:
        return self.facts.attempt

    @property
    def wants_responses(self) -> bool:
        """A client waits for responses."""
        return bool(self.facts.flags & lib.ATAMO_WANTS_RESPONSES)

    @property
    def wants_feed(self) -> bool:
        """A client wants updates until it says otherwise."""
        return bool(self.facts.flags & lib.ATAMO_WANTS_FEED)

    @property
    def body(self) -> bytes:
        """What the rule said `with`, or the event's data as it came."""
        body = self._body
        if body is None:
            self._check_unsettled()
            body = self._body = bytes_of(self._host.body(self._host.table, self.number))
        return body

    def json(self) -> Any:
        """The body, read as JSON; None if it is empty."""
        return json.loads(self.body) if self.body else None

    def event(self) -> dict[str, Any]:
        """The event that caused it, as CloudEvents JSON has it."""
        self._check_unsettled()
        host = self._host
        event = host.event(host.table, self.number)
        if event == NULL:
            raise Gone("this action has ended")
        made: dict[str, Any] = json.loads(read_sized(
            lambda buffer, capacity: int(host.event_json(host.table, event, buffer, capacity))))
        return made

    def _check_unsettled(self) -> None:
        self._host.check()
        if self.is_settled:
            raise Gone("this action is settled")

    # --- answers before the end

    def respond(self, data: Data, *, key: str = "", wait: Optional[float] = -1) -> None:
        """Answer the client. `key`: what it is about; a newer response about the same stands for it
        where only the latest is wanted.

        When the client is slow and nothing may be lost: waits for room for `wait` seconds (None: as
        long as it takes), then raises Busy. Left out: as long as it takes in a pool agent, not at
        all in an inline one. Gone: nobody wants it any more.
        """
        response = _structs.response
        payload = data if type(data) is bytes else to_bytes(data)
        about = key.encode()
        response.kind = lib.ATAMO_RESPONSE_DATA
        response.key = (from_buffer(about), len(about))
        self._send(response, payload, wait)

    def progress(self, share: float, text: str = "", *, wait: Optional[float] = -1) -> None:
        """How far it is, from 0 to 1, with a text for people. `wait` as for respond()."""
        response = _structs.response
        response.kind = lib.ATAMO_RESPONSE_PROGRESS
        response.progress = share
        response.key = (NULL, 0)
        self._send(response, text.encode(), wait)

    def _send(self, response: Any, payload: bytes, wait: Optional[float]) -> None:
        self._check_unsettled()
        host = self._host
        response.body = (from_buffer(payload), len(payload))
        status = host.respond(host.table, self.number, response)
        if status == _BUSY:
            status = self._send_later(response, wait)
        if status == _BUSY:
            raise Busy("the client is slow: no room for a response")
        check(status)

    def _send_later(self, response: Any, wait: Optional[float]) -> int:
        limit = (None if self._waits else 0.0) if wait == -1 else wait
        until = None if limit is None else time.monotonic() + limit
        host = self._host
        with host.changed:
            while True:
                status = int(host.respond(host.table, self.number, response))
                if status != _BUSY:
                    return status
                if self.cancelled or not host.is_open:
                    raise Gone("nobody wants this action any more")
                left = _HINT_S if until is None else min(_HINT_S, until - time.monotonic())
                if left <= 0:
                    return status
                host.changed.wait(left)

    def emit(self, event: str, data: Data = None, **fields: Unpack[Fields]) -> None:
        """Submit a follow-up event. In a durable hub it takes effect if the action ends done."""
        self._check_unsettled()
        draft = _structs.draft.fill(event, data, fields)
        check(self._host.emit(self._host.table, self.number, draft))

    def sleep(self, seconds: float) -> bool:
        """Sleep; False as soon as nobody wants the action any more. For pool agents and threads."""
        until = time.monotonic() + seconds
        with self._host.changed:
            while not self.cancelled and self._host.is_open:
                left = until - time.monotonic()
                if left <= 0:
                    return True
                self._host.changed.wait(left)
        return False

    # --- the end

    def done(self) -> None:
        """The action is done."""
        self._settle(NULL)

    def retry(self, reason: str, after: float = 0) -> None:
        """It failed this time; try again, not before `after` seconds (0: as the back-off says)."""
        self._end(lib.ATAMO_RETRY, reason, after)

    def fail(self, reason: str) -> None:
        """It failed for good: it becomes a dead letter."""
        self._end(lib.ATAMO_FAIL, reason, 0)

    def _end(self, kind: int, reason: str, after: float) -> None:
        text = reason.encode("utf-8", "replace")
        outcome = _structs.outcome
        outcome.kind, outcome.retry_after_ms = kind, round(after * 1000)
        outcome.reason = (from_buffer(text), len(text))
        self._settle(outcome)

    def _settle(self, outcome: Any) -> None:
        if self.is_settled:
            raise Gone("this action is settled")
        host = self._host
        host.check()
        self.is_settled = True
        number = _structs.number
        number[0] = self.number
        host.settle(host.table, number, outcome, 1)

    def __del__(self) -> None:
        if not self.is_settled and self._host.is_open:
            self.retry("the agent forgot this action")

    def __repr__(self) -> str:
        return f"<Action {self.number:#x}{' settled' if self.is_settled else ''}>"
