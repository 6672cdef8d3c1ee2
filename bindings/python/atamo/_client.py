"""Clients: how a program submits events, asks, and hears back.

Happy path: submit() and request() hand a draft to the library and return at once. Replies and
telemetry are copied when dispatch() is called, and the program's functions run after that, on the
thread that called: they may do anything, also cancel, close and raise. What dispatch() raises comes
out of it, and what had not been handed out yet comes with the next call.

A client may be used by several threads; they take turns. Everything that needs the library fails with
Closed after close().
"""

from __future__ import annotations

import asyncio
import select
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any, Callable, Iterable, Optional, Sequence

from . import _inbox as inbox
from ._drafts import Data, Draft, Event, Fields
from ._errors import Closed, check
from ._library import NULL, ffi, lib, new, sized
from ._requests import COUNTED, Replies, Reply, ReplyKind, Request, Slow
from ._telemetry import Record

if TYPE_CHECKING:
    from typing_extensions import Unpack

FOREVER_MS = 0xFFFFFFFF
_MANY = 256  # events at a time
_NO_FIELDS: Fields = {}
_BUSY = lib.ATAMO_BUSY
_GRACE_S = 1.0  # for a thread that is in a call when the interpreter ends
_SLICE_S = 0.1  # how often a thread that waits looks whether the client was closed

Records = Callable[[Sequence[Record], int], None]


def _close_client(pointer: Any, home: inbox.Home, lock: threading.RLock, _handle: object) -> None:
    if not lock.acquire(timeout=_GRACE_S):
        return
    try:
        if home.is_here:
            lib.atamo_client_close(pointer)
    finally:
        lock.release()


def _milliseconds(seconds: Optional[float]) -> int:
    """0 lets the library choose; None is for ever."""
    if seconds is None:
        return FOREVER_MS
    return min(max(1, round(seconds * 1000)), FOREVER_MS - 1)


class Client:
    """Made by Hub.client(). Close it, or use it as a context manager."""

    def __init__(self, hub: object, home: inbox.Home) -> None:
        opened = new("atamo_client **")
        check(lib.atamo_client_open(home.pointer, opened))
        self._hub = hub  # lives as long as its clients
        self._home = home
        self._pointer = opened[0]
        self._inbox = inbox.Inbox(home)
        self._handle = ffi.new_handle(self._inbox)
        self._lock = threading.RLock()
        self._close = weakref.finalize(self, home.run, _close_client, self._pointer, home, self._lock,
                                       (self._handle, self._inbox))
        self._is_open = True
        self._news = threading.Condition()  # some thread has dispatched
        self._leader = 0  # the thread that waits for the descriptor; others wait for it
        self._followers = 0
        self._draft = Draft()
        self._many: tuple[Any, list[Draft]] = (None, [])
        self._receipt = sized("atamo_receipt")
        self._options = sized("atamo_request_options")
        self._wanted: tuple[object, ...] = ()  # what the options say
        self._number = new("uint64_t *")
        self._requests: dict[int, Request] = {}
        self._watcher: Optional[Records] = None
        self._loop: Optional[asyncio.AbstractEventLoop] = None
        self._waiters: list[asyncio.Future[None]] = []
        self.fd: int = lib.atamo_fd(self._pointer)  # readable: dispatch() has something to do

    # --- events

    def submit(self, event: Event, data: Data = None, *, wait: Optional[float] = 0,
               **fields: Unpack[Fields]) -> int:
        """Submit an event: a type with data and fields, or a whole CloudEvent as dict or JSON text.

        Returns the message's number. A full hub raises Busy, after `wait` seconds (None: never) in
        which callbacks run.
        """
        with self._lock:
            draft = self._draft.fill(event, data, fields)
            self._check_open()
            pointer, receipt = self._pointer, self._receipt
            status: int = lib.atamo_submit(pointer, draft, receipt)
            if status != 0:
                self._retry(status, wait, lambda: int(lib.atamo_submit(pointer, draft, receipt)))
            number: int = self._receipt.message
            return number

    def submit_all(self, events: Iterable[tuple[str, Data]], *,
                   wait: Optional[float] = None) -> int:
        """Submit many (type, data) pairs, some hundreds at a time, for a fifth of the cost of
        submit(). Returns how many there were; `wait` is for each that finds the hub full."""
        count, left = 0, iter(events)
        with self._lock:
            if not self._many[1]:
                self._many = Draft.make_row(_MANY)
            row, drafts = self._many
            while True:
                filled = 0
                for draft, (kind, data) in zip(drafts, left):
                    if not isinstance(kind, str):
                        raise TypeError("submit_all() takes types with data, not whole events")
                    draft.fill(kind, data, _NO_FIELDS)
                    filled += 1
                self._check_open()
                self._submit_row(row, filled, wait)
                count += filled
                if filled < _MANY:
                    return count

    def _submit_row(self, row: Any, count: int, wait: Optional[float]) -> None:
        taken = 0
        while taken < count:
            status = lib.atamo_submit_batch(self._pointer, row + taken, count - taken)
            if status > 0:
                taken += status
            else:  # this one alone
                at = row + taken
                self._retry(status, wait,
                            lambda: int(lib.atamo_submit(self._pointer, at, self._receipt)))
                taken += 1

    def _retry(self, status: int, wait: Optional[float], call: Callable[[], int]) -> None:
        """Try a call again while the hub is full."""
        until = None if wait is None else time.monotonic() + wait
        while status == _BUSY:
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0:
                break
            self.wait(left)
            self.dispatch()
            self._check_open()
            status = call()
        check(status)

    # --- requests

    def request(self, event: Event, data: Data = None, *, timeout: Optional[float] = 30,
                answers: int = 0, on_replies: Optional[Replies] = None, feed: bool = False,
                slow: Slow = Slow.BLOCK, queue: int = 0, keep: float = 0, parts: bool = False,
                until_accepted: bool = False, detached: bool = False, wait: Optional[float] = 0,
                **fields: Unpack[Fields]) -> Request:
        """Submit an event and hear what agents respond. `timeout` in seconds, None: no limit;
        `answers` 0: of all agents, 1: of the first, more: a quorum. Replies go to `on_replies` in
        batches, which may be of several requests with the same function, the END reply of each last;
        without it they wait to be iterated. `queue` and `slow` bound
        the replies that wait; `keep` is how many seconds the request outlives this client. The rest
        is as hub.h says of the flags of those names.
        """
        request = Request(self, queue, on_replies)
        wanted = (timeout, on_replies is None, feed, parts, until_accepted, detached, answers, slow,
                  queue, keep)
        with self._lock:
            draft = self._draft.fill(event, data, fields)
            if wanted != self._wanted:
                self._set_options(*wanted)
            self._check_open()
            given = (self._pointer, draft, self._options, inbox.on_replies, self._handle, self._number)
            status: int = lib.atamo_request(*given)
            if status != 0:
                self._retry(status, wait, lambda: int(lib.atamo_request(*given)))
            request.id = self._number[0]
            self._requests[request.id] = request
        return request

    def _set_options(self, timeout: Optional[float], by_hand: bool, feed: bool, parts: bool,
                     until_accepted: bool, detached: bool, answers: int, slow: Slow, queue: int,
                     keep: float) -> None:
        options = self._options
        options.flags = (feed and lib.ATAMO_FEED) | (parts and lib.ATAMO_PARTS)
        options.flags |= (until_accepted and lib.ATAMO_UNTIL_ACCEPTED) | (by_hand and lib.ATAMO_BY_HAND)
        options.flags |= detached and lib.ATAMO_DETACHED
        options.timeout_ms = _milliseconds(timeout)
        options.answers, options.slow, options.queue = answers, slow, queue
        options.keep_ms = round(keep * 1000)
        self._wanted = (timeout, by_hand, feed, parts, until_accepted, detached, answers, slow, queue,
                        keep)

    def feed(self, event: Event, data: Data = None, *, timeout: Optional[float] = None,
             slow: Slow = Slow.BLOCK, queue: int = 0, keep: float = 0, parts: bool = False,
             on_replies: Optional[Replies] = None, wait: Optional[float] = 0,
             **fields: Unpack[Fields]) -> Request:
        """A request whose agents go on responding until each has ended its part, or until it is
        cancelled: `with client.feed(...) as feed: for reply in feed: ...`"""
        return self.request(event, data, timeout=timeout, feed=True, slow=slow, queue=queue,
                            keep=keep, parts=parts, on_replies=on_replies, wait=wait, **fields)

    def attach(self, request: int, *, queue: int = 0,
               on_replies: Optional[Replies] = None) -> Request:
        """Take up a request that was left, or whose client was closed, by its id."""
        made = Request(self, queue, on_replies)
        made.id, made.is_attached = request, True
        with self._lock:
            self._check_open()
            check(lib.atamo_attach(self._pointer, request, inbox.on_replies, self._handle))
            self._requests[request] = made
        return made

    def _taken(self, request: int, count: int) -> None:
        with self._lock:
            if self._is_open:  # NotFound: it has ended meanwhile
                lib.atamo_taken(self._pointer, request, count)

    def _cancel(self, request: int) -> None:
        with self._lock:
            self._forget(request)
            if self._is_open:  # NotFound: its end was under way
                lib.atamo_cancel(self._pointer, request)

    def _leave(self, request: int) -> None:
        with self._lock:
            self._check_open()
            check(lib.atamo_leave(self._pointer, request))
            self._forget(request)

    def _forget(self, request: int) -> None:
        self._requests.pop(request, None)

    # --- telemetry

    def watch(self, on_records: Optional[Records], *, own: bool = False, drop: bool = False) -> None:
        """Hear telemetry from now on: on_records(records, how many were lost). `own`: only of this
        client's messages; `drop`: lose records rather than hold the hub up. None ends it."""
        flags = (own and lib.ATAMO_WATCH_OWN) | (drop and lib.ATAMO_WATCH_DROP)
        with self._lock:
            self._check_open()
            function = NULL if on_records is None else inbox.on_records
            check(lib.atamo_watch_telemetry(self._pointer, flags, function, self._handle))
            self._inbox.records.clear()
            self._watcher = on_records

    # --- hearing back

    def wait(self, timeout: Optional[float] = None) -> bool:
        """Sleep until dispatch() has something to do; False: the time is over."""
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            self._check_open()
            if self._inbox.replies or self._inbox.records:
                return True
            left = _SLICE_S if until is None else min(_SLICE_S, max(0.0, until - time.monotonic()))
            poller = select.poll()
            poller.register(self.fd, select.POLLIN)
            if poller.poll(left * 1000):
                self._check_open()
                return True
            if until is not None and time.monotonic() >= until:
                return False

    def dispatch(self, budget: float = 0.004) -> int:
        """Hand out what has come, for about `budget` seconds (0: until nothing waits). Returns how
        many replies and records there were."""
        with self._lock:
            self._check_open()
            count: int = lib.atamo_dispatch(self._pointer, round(budget * 1e6), NULL)
            raised, self._inbox.raised = self._inbox.raised, None
            if raised is not None:
                raise raised
            try:
                self._hand_out()
            finally:
                if self._followers:
                    self._tell_followers()
            return count

    def _turn(self, request: Request, timeout: Optional[float]) -> bool:
        """Sleep until something has come and was handed out, by this thread or another; False: the
        time is over."""
        me = threading.get_ident()
        with self._news:
            if request.has_news:
                return True
            if self._leader not in (0, me):
                self._followers += 1
                try:
                    return self._news.wait(timeout)
                finally:
                    self._followers -= 1
            before, self._leader = self._leader, me
        try:
            return self._lead(request, timeout)
        finally:
            self._leader = before  # a callback may wait within the dispatch() of its own thread
            self._tell_followers()

    def _lead(self, request: Request, timeout: Optional[float]) -> bool:
        until = None if timeout is None else time.monotonic() + timeout
        while not request.has_news:  # a thread that only dispatches may have seen to it
            left = _SLICE_S if until is None else min(_SLICE_S, until - time.monotonic())
            if self.wait(max(0.0, left)):
                self.dispatch()
                return True
            if left <= 0:
                return False
        return True

    def _after_fork(self) -> None:
        """Locks that another thread of the parent held would never be free."""
        self._lock, self._news = threading.RLock(), threading.Condition()
        self._shut()

    def _tell_followers(self) -> None:
        with self._news:
            self._news.notify_all()

    def _hand_out(self) -> None:
        arrived, records = self._inbox.replies, self._inbox.records
        while arrived:
            request = self._requests.get(arrived[0].request)
            if request is None:
                arrived.popleft()  # cancelled
            elif request._on_replies is None:
                reply = arrived.popleft()
                if reply.kind is ReplyKind.END:
                    self._forget(reply.request)
                request._arrive(reply)
            else:
                request._on_replies(self._batch(request._on_replies))
        while records and self._watcher is not None:
            self._watcher(*records.popleft())

    def _batch(self, function: Replies) -> list[Reply]:
        """All replies at the front that are for one function; of several requests, perhaps."""
        arrived, requests = self._inbox.replies, self._requests
        batch: list[Reply] = []
        while arrived:
            reply = arrived[0]
            request = requests.get(reply.request)
            if request is not None:
                if request._on_replies != function:
                    break
                batch.append(reply)
                if reply.kind is ReplyKind.END:
                    self._forget(reply.request)
                    request._arrive(reply)
                elif request.is_attached and reply.kind in COUNTED:  # made to be iterated, perhaps
                    self._taken(reply.request, 1)
            arrived.popleft()
        return batch

    # --- asyncio

    def join_loop(self, loop: Optional[asyncio.AbstractEventLoop] = None) -> None:
        """Let an asyncio loop (the running one) dispatch; requests that are awaited see to it."""
        wanted = asyncio.get_running_loop() if loop is None else loop
        with self._lock:
            self._check_open()
            if self._loop is wanted:
                return
            self._leave_loop()
            wanted.add_reader(self.fd, self._on_readable)
            self._loop = wanted

    def _leave_loop(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.remove_reader(self.fd)
        self._loop = None

    def _on_readable(self) -> None:
        if not self._is_open:
            return
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
        try:
            self.dispatch()
        finally:  # a callback has raised: the descriptor does not tell of what is left
            if self._loop is not None and (self._inbox.replies or self._inbox.records):
                self._loop.call_soon(self._on_readable)

    async def room(self) -> None:
        """After Busy: sleep until the hub may have room again."""
        self.join_loop()
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        await waiter

    # --- the end

    def _check_open(self) -> None:
        if not self._is_open:
            raise Closed("this client is closed")

    def close(self) -> None:
        """No callback follows; open requests are cancelled, but for those with `keep`."""
        with self._lock:
            if not self._is_open:
                return
            self._leave_loop()
            self._shut()
            self._close()

    def _shut(self) -> None:
        """In a child process after fork(), too: then the library must not be called."""
        self._is_open = False
        self._inbox.replies.clear()
        self._inbox.records.clear()
        for request in list(self._requests.values()):
            request._shut()
        self._tell_followers()
        self._requests.clear()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
