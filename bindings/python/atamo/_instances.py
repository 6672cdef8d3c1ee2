"""Instances: what stands between the hub and the plugins that are written in Python.

Happy path: a Registration is the table that the hub reads; create() makes a Bound of it, the `self` of
everything that follows. A handler's return or exception settles its action. Nothing that is raised
passes into the hub: create() and start() are refused with its text, all else is logged.
"""

from __future__ import annotations

import contextlib
import copy
import json
import re
import traceback
import types
import weakref
from typing import Any, Callable, Optional, Union

from ._actions import Action, Host
from ._drafts import to_bytes
from ._errors import Busy, Error, Gone
from ._library import (NULL, bytes_of, ffi, function_of, implements, lib, new, sized, text_of)
from ._plugins import (ERROR, LATER, POOL, WARN, Agent, Auditor, Fail, Option, Plugin, Retry)
from ._telemetry import Names, read_records, reason_text

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_MS = 1000
_EARLY = 4096  # actions cancelled before they began: so many are handed over at most


def _reason(error: BaseException) -> str:
    return str(error) or type(error).__name__


def _place(error: BaseException) -> str:
    """Where it was raised, for the log."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{where}"


class Bound:
    """One instance."""

    def __init__(self, plugin: Plugin, host: Host) -> None:
        self.plugin: Any = plugin
        self.host = host
        self.handle = ffi.new_handle(self)
        self.waits = getattr(plugin, "mode", POOL) == POOL
        self.names = Names(lambda number: text_of(host.name(host.table, number)))
        self.running: dict[int, Action] = {}  # whose handler has not returned
        self.later: "weakref.WeakValueDictionary[int, Action]" = weakref.WeakValueDictionary()
        self.held: dict[int, tuple[Action, bytes]] = {}  # results for which there was no room
        self.early: dict[int, None] = {}  # cancelled, and no worker has begun them

    def perform(self, number: int) -> None:
        action = Action(self.host, number, self.waits)
        self.running[number] = action
        try:
            if self.early and self.early.pop(number, number) is None:
                raise Gone("cancelled before it began")
            self._finish(action, self.plugin.handle(action))
        except BaseException as error:
            with contextlib.suppress(Error):  # another thread has settled it
                self._fail(action, error)
        finally:
            del self.running[number]

    def _finish(self, action: Action, result: object) -> None:
        if type(result) is types.GeneratorType:
            _respond_with_each(action, result)
            result = None
        if result is LATER:
            self.later[action.number] = action
        elif result is None:
            if not action.is_settled:
                action.done()
        else:
            self.end_with(action, to_bytes(result))

    def end_with(self, action: Action, result: bytes) -> None:
        try:
            action.respond(result)
        except Busy:
            self.held[action.number] = action, result
        else:
            action.done()

    def _fail(self, action: Action, error: BaseException) -> None:
        if not isinstance(error, (Fail, Retry, Gone)):
            self.plugin.log(_place(error), WARN)
        if action.is_settled:
            return
        if isinstance(error, Retry):
            action.retry(_reason(error), error.after)
        else:
            action.fail(_reason(error))

    def find(self, number: int) -> Optional[Action]:
        return self.running.get(number) or self.later.get(number)

    def cancel(self, number: int, reason: str) -> None:
        self.early[number] = None  # before the look whether it has begun
        held = self.held.pop(number, None)
        action = held[0] if held is not None else self.find(number)
        if action is None:
            self._forget_oldest()
            return
        self.early.pop(number, None)
        if action.is_settled:
            return
        action.cancelled = True
        self.host.tell()
        if held is not None:
            action.fail(reason)
        else:
            self.plugin.cancel(action, reason)

    def _forget_oldest(self) -> None:
        """It may have ended meanwhile, and never begin."""
        if len(self.early) > _EARLY:
            self.early.pop(next(iter(self.early)), None)

    def room(self, number: int) -> None:
        held = self.held.pop(number, None)
        if held is not None:
            self.end_with(*held)
            return
        self.host.tell()
        action = self.find(number)
        if action is not None and not action.is_settled:
            self.plugin.room(action)

    def drain(self) -> None:
        self.plugin.drain()
        for action in list(self.later.values()) + [held[0] for held in self.held.values()]:
            if not action.is_settled:
                action.retry("the agent stops")
        self.held.clear()

    def destroy(self) -> None:
        self.host.is_open = False
        self.host.tell()
        self.plugin.close()


def _respond_with_each(action: Action, results: Any) -> None:
    for result in results:
        if action.cancelled:
            results.close()
            break
        action.respond(result)


# --- the functions of the tables


def _called(kind: Any, error: Any = None) -> Callable[[Callable[..., Any]], Any]:
    """A function of an instance's table: what it raises is logged."""

    def wrap(function: Callable[..., Any]) -> Any:
        def call(bound: Any, *rest: Any) -> Any:
            instance: Bound = ffi.from_handle(bound)
            try:
                return function(instance, *rest)
            except BaseException as raised:
                instance.plugin.log(_place(raised), ERROR)
                return error

        return implements(kind, error)(call)

    return wrap


def _refuse(host: Any, error: BaseException) -> int:
    status: int = host.refuse(host, _reason(error).encode("utf-8", "replace"))
    return status


@implements(function_of("atamo_plugin", "create"), lib.ATAMO_INVALID)
def _create(host: Any, made: Any) -> int:
    try:
        registration: Registration = ffi.from_handle(host.context(host))
        bound = registration.make(host)
    except BaseException as error:
        return _refuse(host, error)
    made[0] = bound.handle
    return 0


@implements(function_of("atamo_plugin", "start"), lib.ATAMO_INVALID)
def _start(handle: Any) -> int:
    bound: Bound = ffi.from_handle(handle)
    try:
        bound.plugin.start()
    except BaseException as error:
        return _refuse(bound.host.table, error)
    return 0


@_called(function_of("atamo_plugin", "drain"))
def _drain(bound: Bound) -> None:
    bound.drain()


@implements(function_of("atamo_plugin", "destroy"))
def _destroy(handle: Any) -> None:
    bound: Bound = ffi.from_handle(handle)
    registration: Registration = ffi.from_handle(bound.host.table.context(bound.host.table))
    try:
        bound.destroy()
    except BaseException as error:
        text = _place(error).encode("utf-8", "replace")
        bound.host.table.log(bound.host.table, ERROR, text)
    registration.instances.discard(bound)


@implements(function_of("atamo_agent", "handle"))
def _handle(handle: Any, number: int) -> None:
    ffi.from_handle(handle).perform(number)


@_called(function_of("atamo_agent", "cancel"))
def _cancel(bound: Bound, number: int, reason: int) -> None:
    bound.cancel(number, reason_text(reason))


@_called(function_of("atamo_agent", "room"))
def _room(bound: Bound, number: int) -> None:
    bound.room(number)


@_called(function_of("atamo_auditor", "records"), lib.ATAMO_IO)
def _records(bound: Bound, records: Any, count: int, lost: int) -> int:
    bound.plugin.records(read_records(records, count, bound.names), lost)
    return 0


@_called(function_of("atamo_auditor", "idle"))
def _idle(bound: Bound) -> None:
    bound.plugin.idle()


# --- registration


class Registration:
    """A plugin's table. A class is made anew for each instance; an object is the first instance
    itself, and is copied for further ones."""

    def __init__(self, plugin: Union[type[Plugin], Plugin]) -> None:
        self._plugin = plugin
        self._kind: type[Plugin] = plugin if isinstance(plugin, type) else type(plugin)
        if not issubclass(self._kind, (Agent, Auditor)):
            raise TypeError(f"{plugin!r} is neither an Agent nor an Auditor")
        name = self._kind.id or self._kind.__name__
        self.id = _WORD.sub("-", name).replace("_", "-").lower()
        self._kept: list[Any] = []
        self._used = False
        self.instances: set[Bound] = set()
        self.handle = ffi.new_handle(self)
        self.table = self._make_table()

    def make(self, table: Any) -> Bound:
        if isinstance(self._plugin, type):
            made = self._plugin()
        else:
            made = copy.copy(self._plugin) if self._used else self._plugin
            self._used = True
        made._host = Host(table)
        made.name = text_of(table.instance(table))
        made.config = {option.name: _value_of(table, option) for option in self._kind.options}
        bound = Bound(made, made._host)
        self.instances.add(bound)
        return bound

    def _text(self, text: Optional[str]) -> Any:
        if text is None:
            return NULL
        self._kept.append(new("char[]", text.encode()))
        return self._kept[-1]

    def _make_table(self) -> Any:
        kind = self._kind
        table = sized("atamo_plugin")
        table.abi = lib.ATAMO_ABI
        table.id = self._text(self.id)
        table.version = self._text(kind.version)
        about = (self._plugin.__doc__ or "").strip().partition("\n")[0]
        table.summary = self._text(about or "In Python.")
        table.options = self._options(kind.options)
        table.option_count = len(kind.options)
        table.option_stride = ffi.sizeof("atamo_option")
        table.create, table.start, table.drain, table.destroy = _create, _start, _drain, _destroy
        if issubclass(kind, Agent):
            agent = sized("atamo_agent")
            agent.mode = kind.mode
            agent.handle, agent.cancel, agent.room = _handle, _cancel, _room
            table.agent = agent
            self._kept.append(agent)
        if issubclass(kind, Auditor):
            auditor = sized("atamo_auditor")
            auditor.records, auditor.idle = _records, _idle
            table.auditor = auditor
            self._kept.append(auditor)
        return table

    def _options(self, options: Any) -> Any:
        rows = new("atamo_option[]", max(1, len(options)))
        for row, option in zip(rows, options):
            row.name = self._text(option.name)
            row.type = getattr(lib, f"ATAMO_OPTION_{option.kind.upper()}")
            row.flags = option.required and lib.ATAMO_OPTION_REQUIRED
            row.flags |= option.secret and lib.ATAMO_OPTION_SECRET
            row.fallback = self._text(option.default)
            row.choices = self._text("|".join(option.choices) or None)
            row.about = self._text(option.about)
        self._kept.append(rows)
        return rows


def _value_of(host: Any, option: Option) -> Any:
    """An option's value, as configured. One that is left out and has no default is empty."""
    name, kind = option.name.encode(), option.kind
    if kind == "boolean":
        return bool(host.integer(host, name))
    if kind == "duration":
        return host.integer(host, name) / _MS
    if kind in ("integer", "size"):
        return host.integer(host, name)
    if kind == "number":
        return host.number(host, name)
    if kind == "list":
        return [text_of(host.text_at(host, name, at)) for at in range(host.count(host, name))]
    if kind == "map":
        return {text_of(host.key_at(host, name, at)): text_of(host.text_at(host, name, at))
                for at in range(host.count(host, name))}
    raw = bytes_of(host.text(host, name))
    if kind == "json":
        return json.loads(raw) if raw else None
    return raw.decode("utf-8", "replace")
