"""Requests: what comes back for one event, to be iterated, awaited, or handed to a function.

Happy path: the client's dispatch() puts replies here; whoever iterates takes them, waiting in the
client meanwhile. Replies that are iterated count against the request's queue until they are taken, so
that a slow program is bounded as the C library says. The end raises the error that its status stands
for. After cancel(), leave() or the client's close nothing arrives any more.
"""

from __future__ import annotations

import asyncio
import collections
import enum
import json
import operator
import time
from ctypes import string_at
from typing import (Any, AsyncIterator, Callable, Generator, Iterator, NamedTuple, Optional, Protocol,
                    Sequence)

from ._errors import Closed, Error, Timeout, error_of
from ._library import Rows, lib


class ReplyKind(enum.IntEnum):
    """What a reply is."""

    DATA = lib.ATAMO_REPLY_DATA  # a response of an agent
    PROGRESS = lib.ATAMO_REPLY_PROGRESS  # how far an agent is
    END = lib.ATAMO_REPLY_END  # the last one
    PART = lib.ATAMO_REPLY_PART  # an agent has ended its part (parts=True)


class Slow(enum.IntEnum):
    """What becomes of replies when `queue` of them wait for a program that is slow to take them."""

    BLOCK = lib.ATAMO_SLOW_BLOCK  # agents are held up; nothing is lost
    OLDEST = lib.ATAMO_SLOW_OLDEST  # the oldest is dropped
    LATEST = lib.ATAMO_SLOW_LATEST  # of each key only the newest waits


COUNTED = (ReplyKind.DATA, ReplyKind.PROGRESS)  # these need room in a request's queue
_KINDS = {int(kind): kind for kind in ReplyKind}


class Reply(NamedTuple):
    """One reply to a request."""

    request: int
    kind: ReplyKind
    sequence: int  # from 1; it jumps where replies were left out
    lost: int  # how many were left out right before this one
    agent: str
    rule: str
    body: bytes
    key: str  # DATA: what it is about, if the agent says so
    progress: float
    status: int  # END, PART: 0, or the status of an Error
    done: int  # END: actions that were done...
    actions: int  # ...of so many

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body, read as JSON; None if it is empty."""
        return json.loads(self.body) if self.body else None

    @property
    def partial(self) -> bool:
        """END: not every action was done."""
        return self.done < self.actions

    def __repr__(self) -> str:
        return f"<Reply {self.kind.name} {self.sequence} from {self.agent!r}: {self.body[:60]!r}>"


_rows = Rows("atamo_reply")
_NUMBERS = operator.itemgetter(*_rows.at("request", "kind", "sequence", "lost", "progress", "status",
                                         "done", "actions"))
_TEXTS = operator.itemgetter(*_rows.at("agent.data", "agent.size", "rule.data", "rule.size",
                                       "body.data", "body.size", "key.data", "key.size"))


def read_replies(replies: Any, count: int) -> list[Reply]:
    """A batch at once, for speed; names of agents and rules come again and again within it."""
    made: list[Reply] = []
    names: dict[tuple[int, int], str] = {}
    for row in _rows.read(replies, count):
        request, kind, sequence, lost, progress, status, done, actions = _NUMBERS(row)
        agent_at, agent_size, rule_at, rule_size, body_at, body_size, key_at, key_size = _TEXTS(row)
        agent = names.get((agent_at, agent_size))
        if agent is None:
            agent = names[agent_at, agent_size] = string_at(agent_at, agent_size).decode()
        rule = names.get((rule_at, rule_size))
        if rule is None:
            rule = names[rule_at, rule_size] = string_at(rule_at, rule_size).decode()
        body = string_at(body_at, body_size) if body_size else b""
        key = string_at(key_at, key_size).decode("utf-8", "replace") if key_size else ""
        made.append(Reply(request, _KINDS[kind], sequence, lost, agent, rule, body, key, progress,
                          status, done, actions))
    return made


Replies = Callable[[Sequence[Reply]], None]


class ClientOfRequest(Protocol):
    """What a request needs of its client."""

    def _turn(self, request: Request, timeout: Optional[float]) -> bool: ...
    def join_loop(self, loop: Optional[asyncio.AbstractEventLoop] = ...) -> None: ...
    def _taken(self, request: int, count: int) -> None: ...
    def _cancel(self, request: int) -> None: ...
    def _leave(self, request: int) -> None: ...


class Request:
    """A request that is under way. Iterate it for the replies before its end, or call result().

    As a context manager it is cancelled at the end of the block, if it has not ended by then.
    """

    __slots__ = ("_client", "_on_replies", "_waiting", "_report_at", "_untold", "_is_open", "_waiter",
                 "is_attached", "id", "end", "__weakref__")

    def __init__(self, client: ClientOfRequest, queue: int, on_replies: Optional[Replies]) -> None:
        self._client = client
        self._on_replies = on_replies
        self._waiting: collections.deque[Reply] = collections.deque()
        self._report_at = max(1, (queue or 1024) // 2)  # as in hub.h
        self._untold = 0  # taken, and the library does not know
        self._is_open = True
        self._waiter: Optional[asyncio.Future[None]] = None
        self.is_attached = False  # made by another client
        self.id = 0
        self.end: Optional[Reply] = None  # the END reply, once it is there

    # --- what the client does

    def _arrive(self, reply: Reply) -> None:
        if reply.kind is ReplyKind.END:
            self.end = reply
            self._is_open = False
        else:
            self._waiting.append(reply)
        self._wake()

    def _shut(self) -> None:
        """Nothing more arrives."""
        self._is_open = False
        self._wake()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.get_loop().call_soon_threadsafe(_resolve, waiter)

    # --- taking

    def _take(self) -> Optional[Reply]:
        if not self._waiting:
            self._tell()
            return None
        reply = self._waiting.popleft()
        self._untold += reply.kind in COUNTED
        if self._untold >= self._report_at:
            self._tell()
        return reply

    def _tell(self) -> None:
        if self._untold and self._is_open:
            self._client._taken(self.id, self._untold)
        self._untold = 0

    @property
    def has_news(self) -> bool:
        """next() need not wait."""
        return bool(self._waiting) or not self._is_open

    def _check_end(self) -> None:
        if self.end is not None and self.end.status != 0:
            raise error_of(self.end.status, self.end.text)

    def next(self, timeout: Optional[float] = None) -> Optional[Reply]:
        """The next reply before the end; None: it has ended. Runs the client's callbacks while it
        waits; Timeout after `timeout` seconds; the error that the end's status stands for."""
        if self._on_replies is not None:
            raise TypeError("the replies of this request go to on_replies")
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            reply = self._take()
            if reply is not None:
                return reply
            if not self._is_open:
                self._check_end()
                return None
            left = None if until is None else max(0.0, until - time.monotonic())
            if not self._client._turn(self, left):
                raise Timeout("no reply within the time given")

    def __iter__(self) -> Iterator[Reply]:
        while True:
            reply = self.next()
            if reply is None:
                return
            yield reply

    def result(self) -> list[Reply]:
        """Wait for the end; what agents responded. An error has what came until then as `replies`."""
        taken: list[Reply] = []
        try:
            taken.extend(reply for reply in self if reply.kind is ReplyKind.DATA)
        except Error as error:
            error.replies = taken
            raise
        if self.end is None:
            raise Closed("the request was cancelled or left")
        return taken

    # --- asyncio

    async def __aiter__(self) -> AsyncIterator[Reply]:
        if self._on_replies is not None:
            raise TypeError("the replies of this request go to on_replies")
        loop = asyncio.get_running_loop()
        self._client.join_loop(loop)
        while True:
            reply = self._take()
            if reply is not None:
                yield reply
            elif self._is_open:
                self._waiter = loop.create_future()
                await self._waiter
            else:
                self._check_end()
                return

    async def _collect(self) -> list[Reply]:
        taken: list[Reply] = []
        try:
            async for reply in self:
                if reply.kind is ReplyKind.DATA:
                    taken.append(reply)
        except Error as error:
            error.replies = taken
            raise
        except asyncio.CancelledError:
            self.cancel()
            raise
        if self.end is None:
            raise Closed("the request was cancelled or left")
        return taken

    def __await__(self) -> Generator[Any, None, list[Reply]]:
        return self._collect().__await__()

    # --- the end

    def cancel(self) -> None:
        """End it: its actions are cancelled, nothing more arrives. Nothing happens if it has ended."""
        self._waiting.clear()
        if self._is_open:
            self._shut()
            self._client._cancel(self.id)

    def leave(self) -> int:
        """Hear no more of a request that was made with `keep`; client.attach(id) takes it up again.
        What has not been taken here waits for the next one only if the library still has it."""
        self._client._leave(self.id)
        self._waiting.clear()
        self._shut()
        return self.id

    def __enter__(self) -> "Request":
        return self

    def __exit__(self, *_: object) -> None:
        self.cancel()


def _resolve(waiter: "asyncio.Future[None]") -> None:
    if not waiter.done():
        waiter.set_result(None)
