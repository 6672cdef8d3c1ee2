"""A worker for Atamo's `exec` agent: reads actions as JSON lines, answers with JSON lines.

    from atamo_worker import done, fail, retry, run

    def handle(action):
        action.progress(0.5, "half way")
        return done({"hello": action["body"]["name"]})

    run(handle)

The handler gets an Action, a dict with a few methods, and returns what done(), retry() or fail()
made; None means done. An exception is a permanent failure with its text as the reason, unless it is
a Retry. With `threads`, that many handlers run at once and answers go out in any order.

Lines are read and answered in batches: one read brings many actions, one write takes their answers.
What the handler prints goes to stderr, and so to the hub's log: stdout belongs to the protocol.
"""

import base64
import json
import os
import queue
import sys
import threading

CHUNK = 1 << 18


class Retry(Exception):
    """Raised by a handler: it failed this time, try again, not before `after_ms`."""

    def __init__(self, reason, after_ms=0):
        super().__init__(reason)
        self.after_ms = after_ms


def done(response=None):
    """The action is done; `response` goes to the client that asked, if there is one."""
    return {"outcome": "done"} if response is None else {"outcome": "done", "response": response}


def retry(reason, after_ms=0):
    """It failed this time; try again, not before `after_ms`."""
    return {"outcome": "retry", "reason": reason, "retry_after_ms": after_ms}


def fail(reason):
    """It failed for good."""
    return {"outcome": "fail", "reason": reason}


class Action(dict):
    """What the hub wrote (the README of the `exec` plugin says what is in it), and ways to answer
    before the end."""

    __slots__ = ("_worker", "cancelled")

    def __init__(self, members, worker):
        super().__init__(members)
        self._worker = worker
        self.cancelled = False  # nobody needs it any more; an answer is still due

    @property
    def data(self):
        """The body as bytes, where it is not JSON; else None."""
        encoded = self.get("body_base64")
        return None if encoded is None else base64.b64decode(encoded)

    def respond(self, response, key=None):
        """Send the client a response, about `key` if it is about one thing of several; more may
        follow."""
        about = {} if key is None else {"key": key}
        self._worker.say({"id": self["id"], "response": response, **about})

    def progress(self, share, text=""):
        """Tell the client how far it is, from 0 to 1."""
        self._worker.say({"id": self["id"], "progress": share, "text": text})

    def emit(self, event_type, data=None, **attributes):
        """Submit a follow-up event; attributes are those of CloudEvents, and delay_ms."""
        event = {"type": event_type, "data": data, **attributes}
        self._worker.say({"id": self["id"], "emit": event})


def _batches(stream):
    """Complete lines as one JSON array, as many at a time as one read brings."""
    rest = b""
    while chunk := os.read(stream, CHUNK):
        lines, line_feed, tail = chunk.rpartition(b"\n")
        if not line_feed:
            rest += chunk
            continue
        yield json.loads(b"[" + (rest + lines).replace(b"\n", b",") + b"]")
        rest = tail


class Worker:
    """The two ends of the protocol. One thread reads; any may write."""

    def __init__(self, handle):
        self._handle = handle
        self._actions = {}  # that threads have or will have, by id
        self._lines = []
        self._lock = threading.Lock()
        self._in = sys.stdin.fileno()
        sys.stdout.flush()
        self._out = os.dup(sys.stdout.fileno())
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def say(self, message):
        """Write a line at the next flush()."""
        self._say_line(json.dumps(message))

    def _say_line(self, line):
        with self._lock:
            self._lines.append(line)

    def flush(self):
        """Write all lines that were said."""
        with self._lock:
            lines, self._lines = self._lines, []
            rest = memoryview(("\n".join(lines) + "\n").encode() if lines else b"")
            while rest:
                rest = rest[os.write(self._out, rest) :]

    def perform(self, action):
        """Run the handler, and say how the action ended."""
        try:
            answer = self._handle(action)
        except Retry as error:
            answer = retry(str(error), error.after_ms)
        except Exception as error:  # whatever a handler raises is an answer, not the end
            answer = fail(f"{type(error).__name__}: {error}")
        if answer is None or answer == {"outcome": "done"}:
            self._say_line(f'{{"id":"{action["id"]}","outcome":"done"}}')
        else:
            self.say({"id": action["id"], **answer})

    def serve(self):
        """One action after the other, in this thread."""
        for messages in _batches(self._in):
            for message in messages:
                if "cancel" not in message:
                    self.perform(Action(message, self))
            self.flush()

    def serve_threaded(self, threads):
        """Several at once."""
        waiting = queue.SimpleQueue()
        team = [threading.Thread(target=self._help, args=(waiting,)) for _ in range(threads)]
        for thread in team:
            thread.start()
        for messages in _batches(self._in):
            for message in messages:
                if "cancel" in message:
                    self._cancel(message["cancel"])
                else:
                    action = Action(message, self)
                    self._actions[action["id"]] = action
                    waiting.put(action)
        for _ in team:
            waiting.put(None)
        for thread in team:
            thread.join()

    def _cancel(self, action_id):
        action = self._actions.get(action_id)
        if action is not None:
            action.cancelled = True

    def _help(self, waiting):
        while (action := waiting.get()) is not None:
            if action.cancelled:
                self.say({"id": action["id"], **retry("cancelled")})
            else:
                self.perform(action)
            del self._actions[action["id"]]
            self.flush()


def run(handle, threads=0):
    """Serve until the hub closes our standard input."""
    worker = Worker(handle)
    try:
        if threads > 0:
            worker.serve_threaded(threads)
        else:
            worker.serve()
    except (BrokenPipeError, KeyboardInterrupt):
        pass  # the hub is gone, or wants us to be
