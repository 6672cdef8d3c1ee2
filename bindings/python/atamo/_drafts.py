"""Drafts: what a program says of an event becomes the struct that the library takes.

Happy path: type and data are put into a struct that is used again and again; other fields are set
when they are given and wiped before the next event. The library copies, so buffers only have to live
until the call returns. A whole event (a dict, or JSON text) is read by the library's own reader of
CloudEvents JSON. Fails with TypeError for what is no field, Invalid and TooLarge from the reader.
"""

from __future__ import annotations

import datetime
import json
from typing import Any, Mapping, TypedDict, Union

from ._errors import check
from ._library import NULL, c_text, ffi, from_buffer, lib, new, sized

Data = object  # bytes as they are; None: no data; anything else becomes JSON
Event = Union[str, bytes, Mapping[str, object]]

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Fields(TypedDict, total=False):
    """What may be said of an event beside its type and data: CloudEvents attributes and a few more."""

    id: str
    source: str
    subject: str
    time: Union[str, datetime.datetime]
    datacontenttype: str
    dataschema: str
    user: str
    tenant: str
    partitionkey: str
    traceparent: str
    correlationid: str
    causationid: str
    expires_at: Union[float, datetime.datetime]  # Unix seconds
    delay: float  # seconds
    binary: bool  # the data is bytes, not text
    extensions: Mapping[str, str]


_TEXTS = frozenset(Fields.__annotations__) - {"expires_at", "delay", "binary", "extensions"}


def to_bytes(data: Data) -> bytes:
    """Bytes as they are; anything else as JSON text."""
    if isinstance(data, bytes):
        return data
    if isinstance(data, (bytearray, memoryview)):
        return bytes(data)
    return _encode(data).encode()


class Draft:
    """A struct atamo_event_draft that is filled again and again. For one thread at a time."""

    def __init__(self, struct: Any = None) -> None:
        self._draft = sized("atamo_event_draft") if struct is None else struct
        self._type = self._draft.type
        self._data = self._draft.data
        self._named = ""
        self._kept: list[Any] = []  # what the struct points at
        self._payload: object = None
        self._has_fields = False
        self._reader: Any = None
        self._read: Any = None

    def fill(self, event: Event, data: Data, fields: Fields) -> Any:
        """The struct of an event; valid until the next call."""
        if not isinstance(event, str):
            return self._read_event(event, data, fields)
        if self._has_fields:
            self._wipe()
        if event != self._named:
            self._set_type(event)
        if data is None:
            self._data.size = 0
        else:
            payload = data if type(data) is bytes else to_bytes(data)
            self._payload = payload
            self._data.data = from_buffer(payload)
            self._data.size = len(payload)
        if fields:
            self._has_fields = True
            for name, value in fields.items():
                self._set_field(name, value)
        return self._draft

    @staticmethod
    def make_row(count: int) -> tuple[Any, list[Draft]]:
        """An array of structs, and a draft over each."""
        row = new("atamo_event_draft[]", count)
        for struct in row:
            struct.size = ffi.sizeof("atamo_event_draft")
        return row, [Draft(row + at) for at in range(count)]

    def _wipe(self) -> None:
        ffi.buffer(self._draft)[:] = bytes(ffi.sizeof("atamo_event_draft"))
        self._draft.size = ffi.sizeof("atamo_event_draft")
        self._kept.clear()
        self._has_fields = False
        self._named = ""

    def _set_type(self, name: str) -> None:
        buffer = new("char[]", name.encode())
        self._type.data, self._type.size = buffer, len(buffer) - 1
        self._kept = [buffer]
        self._named = name

    def _point(self, target: Any, text: str) -> None:
        buffer = new("char[]", text.encode())
        target.data, target.size = buffer, len(buffer) - 1
        self._kept.append(buffer)

    def _set_field(self, name: str, value: Any) -> None:
        if name in _TEXTS:
            text = value.isoformat() if isinstance(value, datetime.datetime) else value
            self._point(getattr(self._draft, name), text)
        elif name == "expires_at":
            seconds = value.timestamp() if isinstance(value, datetime.datetime) else value
            self._draft.expires_at_ms = int(seconds * 1000)
        elif name == "delay":
            self._draft.delay_ms = int(value * 1000)
        elif name == "binary":
            self._draft.flags = lib.ATAMO_DATA_BINARY if value else 0
        elif name == "extensions":
            rows = new("atamo_extension_attribute[]", len(value))
            for row, (key, text) in zip(rows, value.items()):
                self._point(row.name, key)
                self._point(row.value, text)
            self._draft.extensions, self._draft.extension_count = rows, len(value)
            self._kept.append(rows)
        else:
            raise TypeError(f"an event has no field {name!r}")

    def _read_event(self, event: Union[bytes, Mapping[str, object]], data: Data,
                    fields: Fields) -> Any:
        if data is not None or fields:
            raise TypeError("a whole event says everything itself: data and fields go with a type")
        if isinstance(event, bytes):
            text = event
        else:
            whole: dict[str, object] = {"specversion": "1.0"}
            whole.update(event)
            text = to_bytes(whole)
        if self._reader is None:
            opened = new("atamo_reader **")
            check(lib.atamo_reader_open(opened))
            self._reader = ffi.gc(opened[0], lib.atamo_reader_close)
            self._read = sized("atamo_event_draft")
        why = new("char[256]")
        self._payload = text
        given = new("atamo_bytes *", (from_buffer(text), len(text)))
        check(lib.atamo_reader_read(self._reader, given[0], NULL, self._read, why), c_text(why))
        return self._read
