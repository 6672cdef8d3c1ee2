"""The hub: opened from YAML, closed with everything that belongs to it.

Happy path: Hub(...) loads the configuration and starts; client() makes clients; leaving the `with`
block closes clients and hub. A configuration that cannot be is refused with ConfigError. A hub that is
forgotten is closed when it is collected, or when the interpreter ends; a child process after fork()
has none.
"""

from __future__ import annotations

import json
import os
import threading
import time
import weakref
from typing import Any, Callable, Iterator, Mapping, Optional, Sequence, Union

from ._client import Client
from ._errors import Closed, ConfigError, Problem, Timeout, check
from ._inbox import Home
from ._instances import Registration
from ._library import (NULL, c_text, ffi, fields_of, function_of, implements, lib, new,
                       read_into_buffer, sized)
from ._plugins import Plugin

Config = Union[str, Mapping[str, object], "os.PathLike[str]"]
Log = Callable[[int, str, str], None]

_IDLE_SLICE_MS = 100  # so that Ctrl-C is heard
_hubs: "weakref.WeakSet[Hub]" = weakref.WeakSet()  # of this process, for the child of a fork
_left: list[object] = []  # what threads that did not let go may still use


@implements(function_of("atamo_settings", "log"))
def _on_log(user: Any, level: int, instance: Any, line: Any) -> None:
    kept: _Kept = ffi.from_handle(user)
    if kept.log is not None:
        kept.log(level, c_text(instance), c_text(line))


class _Kept:
    """What must live as long as the hub."""

    def __init__(self, plugins: Sequence[Registration], log: Optional[Log]) -> None:
        self.plugins = plugins
        self.log = log
        self.buffers: list[Any] = []

    def text(self, text: Union[str, bytes, None]) -> Any:
        if text is None:
            return NULL
        buffer = new("char[]", text if isinstance(text, bytes) else text.encode())
        self.buffers.append(buffer)
        return buffer


def _close_hub(home: Home, kept: _Kept, limit: Optional[float] = None) -> int:
    if not home.is_here:
        return 0
    for helper in home.helpers:
        if helper is not threading.current_thread():
            helper.join()
    limit_ms = lib.atamo_stop_limit(home.pointer) if limit is None else round(limit * 1000)
    home.is_open = False
    status: int = lib.atamo_close(home.pointer, limit_ms)
    if status == lib.ATAMO_TIMEOUT:
        _left.append(kept)
    return status


def _problems(report: Any) -> list[Problem]:
    """Read a report, and free it."""
    if report == NULL:
        return []
    found = [lib.atamo_report_at(report, index) for index in range(lib.atamo_report_count(report))]
    made = [Problem(c_text(each.file), each.line, each.column, bool(each.warning), c_text(each.text))
            for each in found]
    lib.atamo_report_free(report)
    return made


def _check_report(status: int, report: Any) -> list[Problem]:
    problems = _problems(report)
    if status == lib.ATAMO_INVALID and problems:
        raise ConfigError(problems)
    check(status, "\n".join(str(problem) for problem in problems if not problem.warning))
    return problems


class Hub:
    """A hub inside this program.

    `config` is YAML text, the same as a dict, or a path (pathlib.Path). `plugins` are agents and
    auditors of this program: classes, made anew for each of their instances, or objects, which are
    the first instance themselves and are copied for further ones.
    `plugin_path` are folders with more plugins. `log` hears log lines, on threads of the hub;
    without it they go to stderr.
    """

    def __init__(self, config: Config, *, plugins: Sequence[Union[type[Plugin], Plugin]] = (),
                 plugin_path: Sequence[str] = (), spin: bool = False,
                 log: Optional[Log] = None) -> None:
        kept = _Kept([Registration(plugin) for plugin in plugins], log)
        handle = ffi.new_handle(kept)
        kept.buffers.append(handle)
        settings = sized("atamo_settings")
        settings.flags = lib.ATAMO_SPIN if spin else 0
        settings.config_path, text = self._config(kept, config)
        settings.config = text
        rows = new("atamo_registration[]", len(kept.plugins))
        for row, plugin in zip(rows, kept.plugins):
            row.plugin, row.context = plugin.table, plugin.handle
        settings.plugins, settings.plugin_count = rows, len(rows)
        settings.plugin_path = kept.text(":".join(plugin_path) or None)
        if log is not None:
            settings.log, settings.log_user = _on_log, handle
        opened, report = new("atamo_hub **"), new("atamo_report **")
        status = lib.atamo_open(settings, opened, report)
        self.warnings = _check_report(status, report[0])
        self._home = Home(opened[0])
        self._kept = kept
        self._close = weakref.finalize(self, self._home.run, _close_hub, self._home, kept)
        self._clients: "weakref.WeakSet[Client]" = weakref.WeakSet()
        _hubs.add(self)

    @staticmethod
    def _config(kept: _Kept, config: Config) -> tuple[Any, Any]:
        if isinstance(config, os.PathLike):
            return kept.text(os.fsencode(config)), (ffi.new("char[]", b""), 0)
        if isinstance(config, Mapping):
            config = json.dumps(config)  # JSON is YAML
        raw = config.encode()
        return NULL, (kept.text(raw), len(raw))

    def _check_open(self) -> None:
        if not self._home.is_here:
            raise Closed("this hub is closed")

    @property
    def _pointer(self) -> Any:
        self._check_open()
        return self._home.pointer

    def client(self) -> Client:
        """A client: one for each thread is best. Busy: there are too many."""
        self._check_open()
        client = Client(self, self._home)
        self._clients.add(client)
        return client

    def reload(self, config: Config) -> list[Problem]:
        """Replace rules and agents, all or nothing; returns warnings. ConfigError: it goes on as
        before."""
        kept = _Kept([], None)
        path, text = self._config(kept, config)
        report = new("atamo_report **")
        given = new("atamo_bytes *", text)
        return _check_report(lib.atamo_reload(self._pointer, path, given[0], report), report[0])

    def wait_idle(self, timeout: Optional[float] = None) -> None:
        """Wait until nothing is in flight and event providers have finished, or raise Timeout."""
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            left = None if until is None else round((until - time.monotonic()) * 1000)
            if left is not None and left <= 0:
                raise Timeout("the hub still has something to do")
            moment = _IDLE_SLICE_MS if left is None else min(left, _IDLE_SLICE_MS)
            status = lib.atamo_wait_idle(self._pointer, moment)
            if status != lib.ATAMO_TIMEOUT:
                check(status)
                return

    # --- how it stands

    def stats(self, tenant: Optional[str] = None) -> dict[str, int]:
        """The counters of atamo_stats, of one tenant or of all."""
        stats = sized("atamo_stats")
        name = NULL if tenant is None else new("char[]", tenant.encode())
        check(lib.atamo_stats_get(self._pointer, name, stats))
        return fields_of(stats)

    def agents(self) -> list[dict[str, Any]]:
        """Each agent's atamo_agent_state."""
        return self._each("atamo_agent_state", lib.atamo_agent_get)

    def rules(self) -> list[dict[str, Any]]:
        """Each rule's atamo_rule_state."""
        return self._each("atamo_rule_state", lib.atamo_rule_get)

    def _each(self, struct: str, get: Callable[[Any, int, Any], int]) -> list[dict[str, Any]]:
        made: list[dict[str, Any]] = []
        state = sized(struct)
        while get(self._pointer, len(made), state) == 0:
            made.append(fields_of(state))
        return made

    def pause(self, agent: str) -> None:
        """Hold an agent's actions back."""
        check(lib.atamo_agent_pause(self._pointer, agent.encode(), 1))

    def resume(self, agent: str) -> None:
        check(lib.atamo_agent_pause(self._pointer, agent.encode(), 0))

    def why(self, event: Union[str, int]) -> dict[str, Any]:
        """Why did this message go the way it went? By event id, or what submit() returned."""
        return self._told(lib.atamo_why, event)

    def trace(self, event: Union[str, int]) -> dict[str, Any]:
        """The path of a message, step by step."""
        return self._told(lib.atamo_trace, event)

    def _told(self, ask: Callable[..., int], event: Union[str, int]) -> dict[str, Any]:
        name = (self.message_id(event) if isinstance(event, int) else event).encode()
        pointer = self._pointer
        status, text = read_into_buffer(
            lambda buffer, capacity, size: ask(pointer, name, buffer, capacity, size))
        check(status, f"no message {name.decode()}" if status == lib.ATAMO_NOT_FOUND else "")
        told: dict[str, Any] = json.loads(text)
        return told

    def message_id(self, message: int) -> str:
        """The UUID of a message number."""
        uuid = new("char[37]")
        lib.atamo_message_id(self._pointer, message, uuid)
        return c_text(uuid)

    def dead_letters(self) -> Iterator[dict[str, Any]]:
        """Actions that failed for good, oldest first; their `id` is for replay() and drop()."""
        letter = sized("atamo_dead_letter")
        while lib.atamo_dead_next(self._pointer, letter.id, letter) == 0:
            yield fields_of(letter)

    def replay(self, dead_letter: int) -> None:
        """Try a dead letter again."""
        check(lib.atamo_dead_replay(self._pointer, dead_letter))

    def drop(self, dead_letter: int) -> None:
        check(lib.atamo_dead_drop(self._pointer, dead_letter))

    # --- the end

    def close(self, limit: Optional[float] = None) -> bool:
        """Let what runs finish for at most `limit` seconds (as the configuration says), stop. Its
        clients are closed first. False: something had to be cancelled."""
        for client in list(self._clients):
            client.close()
        if not self._close.alive:
            return True
        self._close.detach()
        status = _close_hub(self._home, self._kept, limit)
        if status != lib.ATAMO_TIMEOUT:
            check(status)
        return status == 0

    def __enter__(self) -> "Hub":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _forget_all() -> None:
    """A child process has no hub: its threads stayed with the parent."""
    for hub in list(_hubs):
        hub._home.is_open = False
        for client in list(hub._clients):
            client._after_fork()


os.register_at_fork(after_in_child=_forget_all)
