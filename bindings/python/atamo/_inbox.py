"""The inbox of a client: what the library's callbacks leave for dispatch() to hand out.

Happy path: replies and records are copied, a batch at a time, while the library's own function runs;
nothing of the program is called from there. An interrupt in the middle is kept for dispatch() to raise.
"""

from __future__ import annotations

import collections
import os
import threading
from typing import Any, Callable, Optional

from ._library import ffi, implements, lib
from ._requests import Reply, read_replies
from ._telemetry import Names, Record, read_records


class Home:
    """The hub as the library knows it: shared by the hub, its clients and their finalizers."""

    def __init__(self, pointer: Any) -> None:
        self.pointer = pointer
        self.process = os.getpid()
        self.is_open = True
        self.helpers: list[threading.Thread] = []
        self.names = Names(lambda number: _name(pointer, number))

    def run(self, function: Callable[..., object], *arguments: object) -> None:
        """Run what waits for the hub. The garbage collector may ask for that on any thread: on one
        of a hub's own it would wait for ever."""
        if not isinstance(threading.current_thread(), threading._DummyThread):
            function(*arguments)
            return
        helper = threading.Thread(target=function, args=arguments, daemon=False)
        self.helpers.append(helper)
        helper.start()

    @property
    def is_here(self) -> bool:
        """Not closed, and not that of a parent process."""
        return self.is_open and self.process == os.getpid()


def _name(pointer: Any, number: int) -> str:
    name = lib.atamo_name(pointer, number)
    text: str = ffi.unpack(name.data, name.size).decode("utf-8", "replace") if name.size else ""
    return text


class Inbox:
    """What the library's callbacks leave for dispatch() to hand out."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.replies: collections.deque[Reply] = collections.deque()
        self.records: collections.deque[tuple[list[Record], int]] = collections.deque()
        self.raised: Optional[BaseException] = None


def _interrupted(_kind: object, error: BaseException, trace: Any) -> None:
    """Ctrl-C may come anywhere in a callback: its work is done all the same, once, and dispatch()
    raises it."""
    given = trace.tb_frame.f_locals
    inbox: Inbox = ffi.from_handle(given["user"])
    inbox.raised = error
    if "records" in given:
        if len(inbox.records) == given.get("before", len(inbox.records)):
            _take_records(inbox, given["records"], given["count"], given["lost"])
    elif len(inbox.replies) == given.get("before", len(inbox.replies)):
        inbox.replies.extend(read_replies(given["replies"], given["count"]))


@implements(ffi.typeof("atamo_reply_fn"), on_error=_interrupted)
def on_replies(replies: Any, count: int, user: Any) -> None:
    inbox: Inbox = ffi.from_handle(user)
    before = len(inbox.replies)  # for _interrupted()
    inbox.replies.extend(read_replies(replies, count))


def _take_records(inbox: Inbox, records: Any, count: int, lost: int) -> None:
    inbox.records.append((read_records(records, count, inbox.home.names), lost))


@implements(ffi.typeof("atamo_telemetry_fn"), on_error=_interrupted)
def on_records(records: Any, count: int, lost: int, user: Any) -> None:
    inbox: Inbox = ffi.from_handle(user)
    before = len(inbox.records)
    _take_records(inbox, records, count, lost)
