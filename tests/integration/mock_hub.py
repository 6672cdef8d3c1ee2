"""A hub that answers as a test wants it to: what no real one does on demand, such as 429 and 503,
broken answers, and streams that end in the middle. Each answer is for one request; the last one of a
route is given again."""

import http.server
import json
import os
import socketserver
import sys
import threading
import urllib.parse


class Answer:
    """One answer: JSON unless `text` is given."""

    def __init__(self, body=None, status=200, *, text=None, kind="application/json", **headers):
        self.status = status
        self.kind = kind
        self.text = text if text is not None else "" if body is None else json.dumps(body)
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def problem(status, detail, title="Problem", headers=None, **more):
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail} | more
    return Answer(body, status, kind="application/problem+json", **(headers or {}))


class Stream:
    """An event stream: pieces of text, then it ends, or stays open if `stays`."""

    def __init__(self, *pieces, stays=False):
        self.pieces = pieces
        self.stays = stays


class Cut:
    """The connection is closed without an answer."""


class Asked:
    def __init__(self, handler, body):
        url = urllib.parse.urlsplit(handler.path)
        self.method = handler.command
        self.path = urllib.parse.unquote(url.path)
        self.raw_path = url.path
        self.query = dict(urllib.parse.parse_qsl(url.query))
        self.headers = handler.headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def address_string(self):
        return ""

    def _answer(self):
        size = int(self.headers.get("Content-Length") or 0)
        answer = self.server.hub.answer(Asked(self, self.rfile.read(size)))
        if isinstance(answer, Cut):
            self.close_connection = True
        elif isinstance(answer, Stream):
            self._stream(answer)
        else:
            self._whole(answer)

    do_GET = do_POST = do_PUT = do_DELETE = _answer

    def _whole(self, answer):
        body = answer.text.encode()
        self.send_response(answer.status)
        if body:
            self.send_header("Content-Type", answer.kind)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, stream):
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for piece in stream.pieces:
            self.wfile.write(piece.encode())
            self.wfile.flush()
        if stream.stays:
            self.server.hub.over.wait()


class Quiet:
    """Clients that go away in the middle are no news."""

    daemon_threads = True

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class TcpServer(Quiet, http.server.ThreadingHTTPServer):
    pass


class UnixServer(Quiet, socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    pass


class MockHub:
    """A context. `routes` has "GET /v1/stats": an answer, a list of them, or a function of what was
    asked; `asked` is everything that was. It listens on a free port, or on a Unix socket; `tls` is an
    SSL context."""

    def __init__(self, routes, socket=None, tls=None):
        self.routes = {name: list(answer) if isinstance(answer, list) else [answer]
                       for name, answer in routes.items()}
        self.asked = []
        self.over = threading.Event()
        self.changed = threading.Condition()
        self.socket = socket
        self.server = UnixServer(socket, Handler) if socket else TcpServer(("127.0.0.1", 0), Handler)
        self.server.hub = self
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.url = f"unix:{os.path.abspath(socket)}" if socket else \
            f"http{'s' if tls else ''}://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
        if self.socket:
            os.unlink(self.socket)

    def answer(self, asked):
        answers = self.routes.get(f"{asked.method} {asked.path}",
                                  [problem(404, f"no {asked.path}", "Not Found")])
        with self.changed:
            self.asked.append(asked)
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
            self.changed.notify_all()
        return answer(asked) if callable(answer) else answer

    def wait_for(self, count):
        """Until so many questions were asked; they are returned."""
        with self.changed:
            if not self.changed.wait_for(lambda: len(self.asked) >= count, timeout=15):
                raise TimeoutError(f"{len(self.asked)} of {count} questions")
            return list(self.asked)


def event(name, data, number=None):
    """An event of a stream as it stands on the wire."""
    first = "" if number is None else f"id: {number}\n"
    return f"{first}event: {name}\ndata: {json.dumps(data)}\n\n"
