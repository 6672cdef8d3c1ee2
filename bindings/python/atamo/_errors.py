"""Errors: one exception for each status of the library, named after it."""

from __future__ import annotations

from typing import Any, NamedTuple, Sequence

from ._library import lib


class Error(Exception):
    """A call did not do what it should. `status` is the library's number for that."""

    status: int = 0
    replies: Sequence[Any] = ()  # of a request that ended in it: what had come until then


class Busy(Error):
    """A bounded queue is full: nothing was taken, try again later."""

    status = lib.ATAMO_BUSY


class Invalid(Error):
    """The caller's mistake: the same call will fail again."""

    status = lib.ATAMO_INVALID


class NotFound(Error):
    """There is no such thing; a request's end: no rule matched."""

    status = lib.ATAMO_NOT_FOUND


class Exists(Error):
    """There is one already; a request's end: the event had come before."""

    status = lib.ATAMO_EXISTS


class Denied(Error):
    """This user may not do that."""

    status = lib.ATAMO_DENIED


class Gone(Error):
    """It was, and has ended: cancelled, settled, expired."""

    status = lib.ATAMO_GONE


class NoMemory(Error):
    """An allocation failed: nothing was changed."""

    status = lib.ATAMO_NO_MEMORY


class Io(Error):
    """The operating system refused; a request's end: some action failed."""

    status = lib.ATAMO_IO


class Timeout(Error, TimeoutError):
    """The time limit passed first."""

    status = lib.ATAMO_TIMEOUT


class Closed(Error):
    """The hub or the client is closed, or stopping."""

    status = lib.ATAMO_CLOSED


class Unsupported(Error):
    """Not by this hub or this version."""

    status = lib.ATAMO_UNSUPPORTED


class TooLarge(Error):
    """Over a stated limit."""

    status = lib.ATAMO_TOO_LARGE


class Conflict(Error):
    """Somebody else changed it meanwhile."""

    status = lib.ATAMO_CONFLICT


class Full(Error):
    """No room is left: the disk, or a limit that was set."""

    status = lib.ATAMO_FULL


class Damaged(Error):
    """The bytes are not those that were written."""

    status = lib.ATAMO_DAMAGED


class Problem(NamedTuple):
    """One thing that is wrong with a configuration."""

    file: str
    line: int  # from 1; 0: the whole file
    column: int
    warning: bool  # used all the same
    text: str

    def __str__(self) -> str:
        place = self.file or "configuration"
        if self.line:
            place += f":{self.line}:{self.column}"
        return f"{place}: {self.text}"


class ConfigError(Invalid):
    """A configuration was refused. `problems` is everything that is wrong with it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems if not problem.warning))
        self.problems = list(problems)


_BY_STATUS: dict[int, type[Error]] = {kind.status: kind for kind in Error.__subclasses__()}


def error_of(status: int, text: str = "") -> Error:
    """The exception for a status; without a text it says what the status means."""
    kind = _BY_STATUS.get(status, Error)
    said = text or (kind.__doc__ or "").split(".")[0].split(";")[0]
    error = kind(said if kind is not Error else text or f"status {status}")
    error.status = status
    return error


def check(status: int, text: str = "") -> None:
    if status != 0:
        raise error_of(status, text)
