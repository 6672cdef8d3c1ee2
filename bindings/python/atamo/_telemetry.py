"""Telemetry: the records of each step of each message's path, as Python values.

A batch is read at once, by the layout of the struct, which never changes: 64 bytes a record, and its
text in the records after it. Names are asked for once and kept. Nothing here can fail but for want of
memory.
"""

from __future__ import annotations

import enum
import struct
from typing import Any, Callable, NamedTuple, Union

from ._library import ffi, lib

RECORD = struct.Struct("=4Hq2Q4I2Q")
_PIECE_AT = 4  # struct atamo_telemetry_piece: step, size, bytes


class Step(enum.IntEnum):
    """What happened; atamo/telemetry.h says what `values` and `text` hold with each."""

    ADMITTED = lib.ATAMO_STEP_ADMITTED
    REFUSED = lib.ATAMO_STEP_REFUSED
    DELAYED = lib.ATAMO_STEP_DELAYED
    EVALUATED = lib.ATAMO_STEP_EVALUATED
    RULE_FAILED = lib.ATAMO_STEP_RULE_FAILED
    SCHEDULED = lib.ATAMO_STEP_SCHEDULED
    ATTEMPT = lib.ATAMO_STEP_ATTEMPT
    RESPONDED = lib.ATAMO_STEP_RESPONDED
    DONE = lib.ATAMO_STEP_DONE
    RETRY = lib.ATAMO_STEP_RETRY
    DEAD = lib.ATAMO_STEP_DEAD
    SHED = lib.ATAMO_STEP_SHED
    CANCELLED = lib.ATAMO_STEP_CANCELLED
    EXPIRED = lib.ATAMO_STEP_EXPIRED
    ALERT = lib.ATAMO_STEP_ALERT
    EMITTED = lib.ATAMO_STEP_EMITTED
    DELIVERED = lib.ATAMO_STEP_DELIVERED
    FINISHED = lib.ATAMO_STEP_FINISHED
    REPLAYED = lib.ATAMO_STEP_REPLAYED
    HUB = lib.ATAMO_STEP_HUB
    COMMITTED = lib.ATAMO_STEP_COMMITTED
    RECOVERED = lib.ATAMO_STEP_RECOVERED
    DUPLICATE = lib.ATAMO_STEP_DUPLICATE
    ACCESS = lib.ATAMO_STEP_ACCESS
    DROPPED = lib.ATAMO_STEP_DROPPED


_STEPS: dict[int, Step] = {int(step): step for step in Step}
_REASONS: dict[int, str] = {
    getattr(lib, name): name[len("ATAMO_REASON_") :].lower().replace("_", " ")
    for name in dir(lib)
    if name.startswith("ATAMO_REASON_")
}
_REASONS[lib.ATAMO_REASON_NONE] = ""


def reason_text(reason: int) -> str:
    """The name of an ATAMO_REASON_ constant: "rate limit"; "" for none."""
    return _REASONS.get(reason, f"reason {reason}")


class Record(NamedTuple):
    """One step of one message."""

    step: Union[Step, int]  # a number: one that is newer than this package
    reason: str
    attempt: int
    time_ns: int  # Unix nanoseconds
    message: int  # number of the message; 0: the hub itself
    action: int
    type: str
    rule: str
    agent: str
    user: str
    values: tuple[int, int]
    text: str


class Names:
    """Texts of the numbers that stand for names in records."""

    def __init__(self, ask: Callable[[int], str]) -> None:
        self._ask = ask
        self._known: dict[int, str] = {0: ""}

    def __getitem__(self, number: int) -> str:
        known = self._known.get(number)
        if known is None:
            known = self._known[number] = self._ask(number)
        return known


def _text_at(raw: bytes, at: int, size: int) -> str:
    """The text of `size` bytes in the pieces from `at` on."""
    pieces = []
    while size > 0:
        take = min(size, lib.ATAMO_PIECE_BYTES)
        pieces.append(raw[at + _PIECE_AT : at + _PIECE_AT + take])
        size -= take
        at += RECORD.size
    return b"".join(pieces).decode("utf-8", "replace")


def read_records(records: Any, count: int, names: Names) -> list[Record]:
    raw = bytes(ffi.buffer(records, count * RECORD.size))
    made = []
    for at, row in zip(range(0, len(raw), RECORD.size), RECORD.iter_unpack(raw)):
        step, reason, attempt, size, time_ns, message, action, kind, rule, agent, user, *values = row
        if step == lib.ATAMO_STEP_TEXT:
            continue
        text = _text_at(raw, at + RECORD.size, size) if size else ""
        made.append(Record(_STEPS.get(step, step), reason_text(reason), attempt, time_ns, message,
                           action, names[kind], names[rule], names[agent], names[user],
                           (values[0], values[1]), text))
    return made
