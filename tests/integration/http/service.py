"""The HTTP service of a hub under test: start it, call it, listen to its streams, talk to it raw."""

import contextlib
import http.client
import json
import os
import pathlib
import re
import socket
import textwrap
import time
import urllib.parse

from program import Running

LIMIT_S = 15
WORKER = """
import json, os, sys

def say(**line):
    sys.stdout.write(json.dumps(line) + "\\n")
    sys.stdout.flush()

held = {}
for text in sys.stdin:
    line = json.loads(text)
    if "cancel" in line:
        action = held.pop(line["cancel"], None)
        say(log="info", text=f"cancelled {action}: {line['reason']}")
        say(id=line["cancel"], outcome="fail", reason="cancelled")
        continue
    name = line["id"]
    body = line["body"] if isinstance(line.get("body"), dict) else {}
    for step in range(body.get("steps", 0)):
        say(id=name, progress=(step + 1) / body["steps"], text=f"step {step + 1}")
    for answer in body.get("answers", []):
        say(id=name, response=answer)
    if "hold" in body:
        held[name] = body["hold"]
        say(log="info", text=f"holds {body['hold']}")
    elif "fail" in body:
        say(id=name, outcome="fail", reason=body["fail"])
    elif line["action"] == "moody" and os.path.exists("broken"):
        say(id=name, outcome="fail", reason="broken")
    elif line["action"] == "release":
        for other in held:
            say(id=other, outcome="done", response="released")
        held.clear()
        say(id=name, outcome="done")
    else:
        say(id=name, outcome="done", response={"echo": line.get("body")})
"""


class Answer:
    """Status, headers (names in lower case) and body of a response."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = {name.lower(): value for name, value in headers}
        self.pairs = headers
        self.body = body

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.headers} {self.body[:500]!r}"


class Unix(http.client.HTTPConnection):
    """A connection to a Unix socket."""

    def __init__(self, path):
        super().__init__("localhost", timeout=LIMIT_S)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(LIMIT_S)
        self.sock.connect(self.path)


class Service:
    """A running hub's HTTP service, by its address."""

    def __init__(self, hub, address):
        self.hub = hub
        self.address = address
        self.token = None

    def connection(self):
        if self.address.startswith("unix:"):
            return Unix(self.address.removeprefix("unix:"))
        return http.client.HTTPConnection(self.address, timeout=LIMIT_S)

    def call(self, method, path, body=None, headers=(), over=None):
        """One request; its answer, read to the end. `over`: a connection to be kept."""
        headers = dict(headers)
        if self.token is not None:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        connection = over or self.connection()
        try:
            connection.request(method, path, body=body, headers=headers)
            response = connection.getresponse()
            return Answer(response.status, response.getheaders(), response.read())
        finally:
            if over is None:
                connection.close()

    def get(self, path, headers=()):
        return self.call("GET", path, headers=headers)

    def post(self, path, body=None, headers=(), over=None):
        return self.call("POST", path, body, headers, over)

    def event(self, kind, data=None, query="", over=None, **attributes):
        """Post an event in structured mode."""
        event = {"specversion": "1.0", "type": kind, "data": data, **attributes}
        return self.post("/v1/events" + query, json.dumps(event),
                         {"Content-Type": "application/cloudevents+json"}, over)

    def stats(self):
        return self.get("/v1/stats").json()

    def descriptors(self):
        """How many the hub has open."""
        return len(os.listdir(f"/proc/{self.hub.process.pid}/fd"))

    def when(self, is_there, what="what was waited for"):
        """Ask until it is there; returns it."""
        until = time.monotonic() + LIMIT_S
        while True:
            found = is_there()
            if found:
                return found
            if time.monotonic() > until:
                raise AssertionError(f"{what} did not come: {found!r}")
            time.sleep(0.01)

    def path_of(self, message, state="finished"):
        """The path of a message once it is in a state."""
        def look():
            answer = self.get("/v1/events/" + urllib.parse.quote(message, safe=""))
            return answer.json() if answer.status == 200 and answer.json()["state"] == state else 0
        return self.when(look, f"the state {state} of {message}")

    def raw(self):
        """A socket to it, for requests that no client would send."""
        host, _, port = self.address.rpartition(":")
        link = socket.create_connection((host, int(port)), LIMIT_S)
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return link

    def say(self, request):
        """Send bytes, and return what comes back until the service closes the connection."""
        with self.raw() as link:
            link.sendall(request)
            return read_all(link)

    @contextlib.contextmanager
    def stream(self, path, headers=()):
        """A stream of server-sent events: a context."""
        headers = dict(headers)
        if self.token is not None:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        connection = self.connection()
        try:
            connection.request("GET", path, headers=headers)
            yield Stream(connection.getresponse())
        finally:
            connection.close()


class Stream:
    """Server-sent events, one after the other."""

    def __init__(self, response):
        self.response = response
        self.status = response.status

    def next(self):
        """The next event: {"id", "event", "data" (JSON read)}; None: the stream has ended."""
        event = {}
        while line := self.response.readline():
            text = line.decode().rstrip("\n")
            if text.startswith(":"):
                continue
            if text == "":
                if event:
                    return event
                continue
            name, _, value = text.partition(": ")
            event[name] = json.loads(value) if name == "data" else value
        return None

    def hello(self):
        """Wait until the service says that it hears: what happens now will come."""
        while not self.response.readline().startswith(b":"):
            pass
        return self

    def until(self, is_last):
        """The events up to one for which is_last() holds, which is among them."""
        events = []
        while (event := self.next()) is not None:
            events.append(event)
            if is_last(event):
                return events
        raise AssertionError(f"the stream ended after {events[-3:]}")

    def rest(self):
        events = []
        while (event := self.next()) is not None:
            events.append(event)
        return events


def read_all(link):
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while chunk := link.recv(65536):
            data += chunk
    return data


def read_answer(link):
    """One response with a Content-Length, or without a body: (status, headers, body)."""
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = link.recv(1)
        if not chunk:
            return 0, data, b""
        data += chunk
    size = re.search(rb"(?i)\r\ncontent-length: (\d+)\r\n", data)
    body = b""
    while size is not None and len(body) < int(size[1]):
        body += link.recv(int(size[1]) - len(body))
    return int(data.split()[1]), data, body


def is_json(event, **members):
    """Has the data of an event of a stream these members?"""
    return all(event["data"].get(name) == value for name, value in members.items())


@contextlib.contextmanager
def serve(config, listen="127.0.0.1:0", options="", name="atamo.yaml"):
    """Run a hub with this configuration and the provider `api`; a context with a Service."""
    config = textwrap.dedent(config).replace(
        "HTTP", f'{{plugin: http, config: {{listen: "{listen}"{options}}}}}')
    worker = pathlib.Path("worker.py")
    worker.write_text(WORKER, encoding="utf-8")
    config = config.replace("WORKER", f"command: [python3, {worker.resolve()}], event: full")
    pathlib.Path(name).write_text(config, encoding="utf-8")
    with Running(name) as hub:
        yield await_service(hub)


def await_service(hub):
    """The service of a hub that starts."""
    line = hub.line_of("listening on ", "not started")
    if "listening on " not in line:
        raise AssertionError(line)
    return Service(hub, line.partition("listening on ")[2].removeprefix("http://"))
