"""The C library behind this package: libatamo, and cffi's view of its headers.

`_abi` was made from the headers of the library when that was built; `_place` says where that is from
here. ATAMO_LIBRARY names another one; where there is none, the system looks for it. Import fails with
OSError if that finds none either.
"""

from __future__ import annotations

import os
import pathlib
import struct
from typing import Any, Callable, Iterator

from . import _abi, _place

ffi: Any = _abi.ffi
NULL: Any = ffi.NULL
from_buffer: Any = ffi.from_buffer
unpack: Any = ffi.unpack
new: Any = ffi.new


def _open_library() -> Any:
    beside = pathlib.Path(os.path.abspath(_place.__file__)).parent / _place.LIBRARY
    name = os.environ.get("ATAMO_LIBRARY") or (str(beside) if beside.exists() else "libatamo.so.0")
    return ffi.dlopen(name)


lib: Any = _open_library()


def sized(name: str) -> Any:
    """A new struct that begins with its size."""
    made = new(f"{name} *")
    made.size = ffi.sizeof(made[0])
    return made


def function_of(table: str, field: str) -> Any:
    """The type of a function in a table."""
    return dict(ffi.typeof(table).fields)[field].type


def implements(kind: Any, error: Any = None,
               on_error: Any = None) -> Callable[[Callable[..., Any]], Any]:
    """Make a Python function one that C can call. If it raises after all, on_error(type, error,
    traceback) is called and `error` returned."""

    def wrap(function: Callable[..., Any]) -> Any:
        return ffi.callback(kind, function, error, on_error)

    return wrap


def bytes_of(value: Any) -> bytes:
    """A copy of what an atamo_bytes names."""
    taken: bytes = unpack(value.data, value.size) if value.size else b""
    return taken


def text_of(value: Any) -> str:
    return bytes_of(value).decode("utf-8", "replace")


def c_text(value: Any) -> str:
    """The text of a char array or char pointer that ends with a NUL."""
    if value == NULL:
        return ""
    taken: bytes = ffi.string(value)
    return taken.decode("utf-8", "replace")


def fields_of(pointer: Any) -> dict[str, Any]:
    """The flat struct that `pointer` names: numbers, texts, lists of numbers."""
    made: dict[str, Any] = {}
    for name, field in ffi.typeof(pointer).item.fields:
        if name in ("size", "reserved"):
            continue
        value = getattr(pointer, name)
        if field.type.kind == "array":
            value = c_text(value) if field.type.item.cname == "char" else list(value)
        made[name] = value
    return made


_FORMATS = {"uint64_t": "Q", "size_t": "N", "int64_t": "q", "uint32_t": "I", "int32_t": "i",
            "uint16_t": "H", "double": "d"}


class Rows:
    """The values of many structs at once, by the layout that the headers give them. Texts are two
    values: address and size."""

    def __init__(self, name: str) -> None:
        self.names: list[str] = []
        layout = "".join(self._formats(ffi.typeof(name), ""))
        self.struct = struct.Struct(layout)
        if self.struct.size != ffi.sizeof(name):
            raise TypeError(f"{name} has a layout that this package does not know")

    def _formats(self, kind: Any, before: str) -> Iterator[str]:
        for name, field in kind.fields:
            if field.type.kind == "struct":
                yield from self._formats(field.type, f"{before}{name}.")
                continue
            self.names.append(before + name)
            yield "P" if field.type.kind in ("pointer", "function") else _FORMATS[field.type.cname]

    def at(self, *names: str) -> list[int]:
        """Where these values are in a row."""
        return [self.names.index(name) for name in names]

    def read(self, array: Any, count: int) -> Iterator[tuple[Any, ...]]:
        return self.struct.iter_unpack(bytes(ffi.buffer(array, count * self.struct.size)))


def read_sized(call: Callable[[Any, int], int]) -> bytes:
    """What a function writes that returns how much room it needs: call(buffer, capacity)."""
    capacity = 4096
    while True:
        buffer = new("char[]", capacity)
        size = call(buffer, capacity)
        if size <= capacity:
            taken: bytes = unpack(buffer, size)
            return taken
        capacity = size + 1


def read_into_buffer(call: Callable[[Any, int, Any], int]) -> tuple[int, bytes]:
    """What a function writes that tells how much room it needs: call(buffer, capacity, size)."""
    size = new("size_t *", 4096)
    while True:
        capacity = size[0] + 1
        buffer = new("char[]", capacity)
        status = call(buffer, capacity, size)
        if status != 0 or size[0] < capacity:
            return status, unpack(buffer, size[0]) if status == 0 else b""
