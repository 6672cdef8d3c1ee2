"""What the package costs: bench.py BUILD. Prints one JSON object.

submit_take: a Python program submits 100,000 events, an inline agent in Python takes each, reads its
body, and is done; submit_all_take does so with submit_all(). The limit beside it is what crossing between
Python and C costs when nothing is done there, as often as it happens for one message that is submitted
alone: three calls and one callback, on one thread. Every step needs the interpreter, so no program can do
better by using more threads.

request: an agent in Python answers 100,000 requests, of which 2,000 are under way at a time. feed: an
agent in Python responds 100,000 times to one feed that is iterated. cffi and ctypes: nanoseconds of one
call and of one callback with each.
"""

import ctypes
import json
import pathlib
import sys
import time

import cffi

COUNT = 100_000
UNDER_WAY = 2_000
ROUNDS = 3
DATA = b'{"n":1}'
LIMIT_S = 60
END = 3  # atamo.ReplyKind.END
CONFIG = """
hub: {max_messages: 200000}
agents: {take: {plugin: take, queue: 200000}}
rules: [{id: take, on: take, then: {agent: take, action: do}}]
"""


def seconds(function, *arguments):
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def best(function, *arguments):
    return min(seconds(function, *arguments) for _ in range(ROUNDS))


def repeat(function, *arguments):
    for _ in range(COUNT):
        function(*arguments)


# --- crossing between Python and C


def with_cffi():
    """A C function that does nothing much, and one that calls back once."""
    ffi = cffi.FFI()
    ffi.cdef("int abs(int); void qsort(void *, size_t, size_t, int (*)(const void *, const void *));")
    libc = ffi.dlopen(None)
    two = ffi.new("int[2]")
    compare = ffi.callback("int(const void *, const void *)", lambda left, right: 0)
    return (libc.abs, 1), (libc.qsort, two, 2, 4, compare)


def with_ctypes():
    libc = ctypes.CDLL(None)
    libc.abs.argtypes = [ctypes.c_int]
    kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
    libc.qsort.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, kind]
    return (libc.abs, 1), (libc.qsort, (ctypes.c_int * 2)(), 2, 4, kind(lambda left, right: 0))


def crossing(ways):
    """Nanoseconds of a call and of a callback."""
    call, calling_back = (best(repeat, *way) / COUNT * 1e9 for way in ways)
    return {"call_ns": round(call), "callback_ns": round(calling_back - call)}


def cross(ways):
    (call, *arguments), (calling_back, *others) = ways
    for _ in range(COUNT):
        call(*arguments)
        call(*arguments)
        calling_back(*others)  # is a call itself


# --- the package


def open_hub(atamo, handle, mode):
    agent = atamo.agent(id="take", mode=mode)(handle)
    return atamo.Hub(CONFIG, plugins=[agent], log=lambda *line: None)


def submit_take(atamo, many):
    def take(action):
        action.body

    with open_hub(atamo, take, atamo.INLINE) as hub, hub.client() as client:
        def run():
            if many:
                client.submit_all(("take", DATA) for _ in range(COUNT))
            else:
                for _ in range(COUNT):
                    client.submit("take", DATA, wait=None)
            hub.wait_idle(LIMIT_S)

        took = best(run)
        assert hub.stats()["done"] == COUNT * ROUNDS
    return took


def ask_all(client):
    asked, ended = 0, []

    def hear(replies):
        ended.extend(reply.status for reply in replies if reply.kind == END)

    while len(ended) < COUNT:
        while asked < min(COUNT, len(ended) + UNDER_WAY):
            client.request("take", DATA, on_replies=hear)
            asked += 1
        client.wait(LIMIT_S)
        client.dispatch()
    assert not any(ended)


def request(atamo):
    with open_hub(atamo, lambda action: action.body, atamo.INLINE) as hub, hub.client() as client:
        return best(ask_all, client)


def feed(atamo):
    def respond(action):
        for _ in range(COUNT):
            action.respond(DATA)

    with open_hub(atamo, respond, atamo.POOL) as hub, hub.client() as client:
        def run():
            assert sum(1 for _ in client.feed("take")) == COUNT

        return best(run)


def main():
    sys.path.insert(0, str(pathlib.Path(sys.argv[1]).resolve() / "python"))
    import atamo

    by_cffi, by_ctypes = with_cffi(), with_ctypes()
    limit = best(cross, by_cffi)
    took, took_many = submit_take(atamo, many=False), submit_take(atamo, many=True)
    print(json.dumps({
        "case": "python", "messages": COUNT, "submit_take_per_s": round(COUNT / took),
        "limit_per_s": round(COUNT / limit), "ratio": round(limit / took, 2),
        "submit_all_take_per_s": round(COUNT / took_many),
        "request_per_s": round(COUNT / request(atamo)), "feed_per_s": round(COUNT / feed(atamo)),
        "cffi": crossing(by_cffi), "ctypes": crossing(by_ctypes)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
