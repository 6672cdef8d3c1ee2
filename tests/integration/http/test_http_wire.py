"""Bytes that no well-meant client sends, at a speed that none has: what the service does with them."""

import contextlib
import json
import re
import socket
import time
import unittest

from service import read_all, read_answer, serve

CONFIG = """
agents:
  out: {plugin: log}
  worker: {plugin: exec, config: {WORKER}}
event_providers: {api: HTTP}
rules:
  - {id: show, on: shown, then: {agent: out, action: show}}
  - {id: work, on: work, then: {agent: worker, action: work}}
"""
EVENT = b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nce-type: shown\r\n"
HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Wire(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.context = serve(CONFIG, options=", header_timeout: 1s, body_timeout: 1s, max_body: 1MiB")
        cls.service = cls.context.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.context.__exit__(None, None, None)

    def link(self):
        link = self.service.raw()
        self.addCleanup(link.close)
        return link

    def answers(self, request):
        """The status of each answer until the connection is closed, which the client asks for by
        closing its end."""
        link = self.link()
        with contextlib.suppress(ConnectionError, OSError):
            link.sendall(request)
            link.shutdown(socket.SHUT_WR)
        # libmicrohttpd 0.9.75 writes the head of its own refusals twice.
        data = re.sub(rb"(?s)(HTTP/1\.1 .*?\r\n\r\n)\1", rb"\1", read_all(link))
        return [int(part[:3]) for part in data.split(b"HTTP/1.1 ")[1:] if part[:3] != b"100"]

    def alone(self, request, status=400):
        """It gets this one answer, and nothing behind it is taken for a request."""
        before = self.service.stats()["accepted"]
        with self.subTest(request[:200]):
            self.assertEqual(self.answers(request + SMUGGLED), [status])
            self.assertEqual(self.service.stats()["accepted"], before)

    # --- what must be refused

    def test_a_body_whose_end_is_unclear_is_refused_and_the_connection_closed(self):
        chunked, chunks = b"Transfer-Encoding: chunked\r\n", b"\r\n1\r\nx\r\n0\r\n\r\n"
        self.alone(EVENT + b"Content-Length: 1\r\n" + chunked + chunks)
        self.alone(EVENT + chunked + b"Content-Length: 1\r\n" + chunks)
        self.alone(EVENT + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\nx")
        self.alone(EVENT + b"Content-Length: 1\r\nContent-Length: 100\r\n\r\nx")
        for length in (b"1, 1", b"+1", b"-1", b"0x1", b"1 1", b"", b"1x",
                       b"99999999999999999999999999"):
            self.alone(EVENT + b"Content-Length: " + length + b"\r\n\r\nx",
                       413 if length.startswith(b"99") else 400)
        for coding in (b"identity", b"gzip, chunked", b"chunked, chunked", b"xchunked", b"",
                       b"chunked\r\nTransfer-Encoding: chunked", b"\x0bchunked"):
            self.alone(EVENT + b"Transfer-Encoding: " + coding + b"\r\n" + chunks)

    def test_headers_that_others_may_read_differently_are_refused(self):
        start = b"GET /health HTTP/1.1\r\n"
        host = b"Host: localhost\r\n"
        self.alone(start + b"\r\n")
        self.alone(start + b"Host : localhost\r\n\r\n")
        self.alone(start + host + host + b"\r\n")
        self.alone(start + host + b"Host: evil.example\r\n\r\n")
        for line in (b"Content-Length : 0", b"X y: 1", b"X\ty: 1", b": 1", b"nothing", b"X(y): 1",
                     b"X\x00: 1", b"X: \x01", b"X: \x7f", "Ü: 1".encode()):
            self.alone(start + host + line + b"\r\n\r\n")
        self.alone(start + b" X: 1\r\n" + host + b"\r\n")

    def test_a_header_in_two_lines_is_refused(self):
        for line in (b"X: a\r\n b", b"X:\r\n b", b"X: a\r\n\tb\r\nY: 1", b"Content-Length: 1\r\n 0",
                     b"Content-Length:\r\n 1", b"Transfer-Encoding: chunked\r\n x",
                     b"Transfer-Encoding:\r\n\tchunked", b"X: a\r\n b\r\nContent-Length: 1"):
            self.alone(EVENT + line + b"\r\n\r\n" + b"1\r\nx\r\n0\r\n\r\n")

    def test_what_is_no_http_is_refused_or_dropped(self):
        for request in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500), b"\r\n\r\n",
                        b"GET\r\n\r\n", b"GET /health\r\n\r\n", b"GET /health HTTP/2.0\r\n\r\n",
                        b"GET /health HTTP/0.9\r\n\r\n", b"GET /health HTTQ/1.1\r\n\r\n",
                        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x00" * 1000, b"\n" * 1000,
                        b"G" * 100000, b"GET " + b"/" * 100000, b"EHLO x\r\n", b""):
            with self.subTest(request[:40]):
                answers = self.answers(request)
                self.assertFalse(any(200 <= status < 300 for status in answers), answers)
        self.assertEqual(self.service.get("/health").status, 200)

    def test_chunks_that_are_none_are_refused(self):
        start = EVENT + b"Transfer-Encoding: chunked\r\n\r\n"
        for chunks in (b"x\r\n", b"-1\r\nx\r\n0\r\n\r\n", b"1\r\nxy\r\n0\r\n\r\n",
                       b"fffffffffffffffff\r\nx", b" 1\r\nx\r\n0\r\n\r\n", b"\r\nx\r\n0\r\n\r\n",
                       b"0x1\r\nx\r\n0\r\n\r\n"):
            before = self.service.stats()["accepted"]
            with self.subTest(chunks):
                self.assertIn(self.answers(start + chunks + SMUGGLED), ([400], [413], []))
                self.assertEqual(self.service.stats()["accepted"], before)
        for chunks in (b"3\r\nxyz\r\n0\r\n\r\n", b"1;a=b\r\nx\r\n2\r\nyz\r\n0\r\n\r\n",
                       b"01\r\nx\r\n0\r\nTrailer: 1\r\n\r\n", b"A\r\n0123456789\r\n0\r\n\r\n"):
            with self.subTest(chunks):
                self.assertEqual(self.answers(start + chunks + HEALTH), [202, 200])

    def test_a_nul_in_a_header_is_not_the_end_of_it(self):
        for line in (b"X: a\x00b", b"ce-subject: a\x00b", b"X: \x00", b"X: a\x00"):
            self.alone(EVENT + b"Content-Length: 0\r\n" + line + b"\r\n\r\n")
            self.alone(EVENT + line + b"\r\nContent-Length: 0\r\n\r\n")

    # --- what must be served

    def test_requests_in_one_piece_are_answered_in_order(self):
        requests = b"".join(EVENT + b"ce-id: p-%d\r\nContent-Length: 2\r\n\r\n{}" % number + HEALTH
                            for number in range(100))
        link = self.link()
        link.sendall(requests + b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n" + HEALTH)
        answers = [read_answer(link) for _ in range(201)]
        self.assertEqual([status for status, _, _ in answers], [202, 200] * 100 + [404])
        ids = [json.loads(body)["id"] for status, _, body in answers if status == 202]
        self.assertEqual(ids, [f"p-{number}" for number in range(100)])
        self.assertEqual(read_all(link), b"")  # what was refused early is the last

    def test_a_request_that_comes_byte_by_byte_is_served(self):
        link = self.link()
        for byte in EVENT + b"Content-Length: 3\r\n\r\nabc":
            link.sendall(bytes([byte]))
        self.assertEqual(read_answer(link)[0], 202)

    def test_a_client_that_has_closed_its_half_is_answered(self):
        link = self.link()
        link.sendall(EVENT.replace(b"/v1/events", b"/v1/events?wait=5s")
                     + b"Content-Length: 2\r\n\r\n{}")
        link.shutdown(socket.SHUT_WR)
        status, _, body = read_answer(link)
        self.assertEqual((status, json.loads(body)["state"]), (200, "done"))
        self.assertEqual(read_all(link), b"")

    def test_whoever_asks_first_is_told_whether_to_go_on(self):
        expect = b"Expect: 100-continue\r\n"
        link = self.link()
        link.sendall(EVENT + expect + b"Content-Length: 2\r\n\r\n")
        self.assertTrue(link.recv(100).startswith(b"HTTP/1.1 100 "))
        link.sendall(b"{}")
        self.assertEqual(read_answer(link)[0], 202)
        for request, status in ((EVENT + b"Content-Length: 9999999\r\n" + expect, 413),
                                (EVENT.replace(b"/v1/events", b"/v1/else") + expect
                                 + b"Content-Length: 2\r\n", 404)):
            link = self.link()
            link.sendall(request + b"\r\n")
            self.assertEqual(read_answer(link)[0], status)

    def test_head_has_the_headers_of_get_and_no_body(self):
        for path in ("/health", "/v1/stats", "/nothing"):
            head = self.service.call("HEAD", path)
            get = self.service.get(path)
            self.assertEqual((head.status, head.body), (get.status, b""))
            self.assertEqual(head.headers["content-type"], get.headers["content-type"])

    def test_a_method_that_is_not_for_this_path_is_told_which_are(self):
        for method, path, allowed in (("GET", "/v1/events", "POST"), ("PUT", "/health", "GET"),
                                      ("POST", "/v1/requests/x", "GET, DELETE"),
                                      ("BREW", "/v1/stats", "GET"),
                                      ("DELETE", "/v1/agents/out:pause", "POST")):
            answer = self.service.call(method, path)
            self.assertEqual((answer.status, answer.headers["allow"]), (405, allowed))
        self.assertEqual(self.service.call("GET", "/v1/nothing").status, 404)

    def test_old_clients_without_a_host_are_served_and_their_connection_closed(self):
        self.assertIn(b"200 OK", self.service.say(b"GET /health HTTP/1.0\r\n\r\n"))

    def test_connections_are_closed_when_the_client_asks_for_it(self):
        data = self.service.say(HEALTH.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        self.assertIn(b"200 OK", data)
        self.assertIn(b"connection: close", data.lower())

    # --- slow, and gone

    def ends_in_time(self, link, least, most):
        before = time.monotonic()
        read_all(link)
        self.assertTrue(least < time.monotonic() - before < most)

    def test_headers_that_do_not_come_close_the_connection(self):
        for start in (b"", b"GET /hea", b"GET /health HTTP/1.1\r\nHost: loc"):
            link = self.link()
            link.sendall(start)
            self.ends_in_time(link, 0.5, 5)

    def test_headers_that_trickle_in_close_it_as_well(self):
        link = self.link()
        link.sendall(b"GET /health HTTP/1.1\r\n")
        before = time.monotonic()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            while time.monotonic() - before < 10:
                link.sendall(b"X: y\r\n")
                time.sleep(0.05)
        self.assertLess(time.monotonic() - before, 5)

    def test_a_body_that_trickles_in_closes_it_too(self):
        for start, piece in ((EVENT + b"Content-Length: 10000\r\n\r\n", b"x"),
                             (EVENT + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n")):
            before = time.monotonic()
            accepted = self.service.stats()["accepted"]
            link = self.link()
            link.sendall(start)
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                while time.monotonic() - before < 10:
                    link.sendall(piece)
                    time.sleep(0.05)
            self.assertTrue(0.5 < time.monotonic() - before < 5)
            self.assertEqual(self.service.stats()["accepted"], accepted)

    def test_who_waits_for_long_is_not_slow(self):
        link = self.link()
        link.sendall(b"POST /v1/events?wait=2500ms HTTP/1.1\r\nHost: localhost\r\nce-type: work\r\n"
                     b"Content-Type: application/json\r\nContent-Length: 13\r\n\r\n{\"hold\": \"w\"}")
        status, _, body = read_answer(link)
        self.assertEqual((status, json.loads(body)["state"]), (200, "open"))
        link.sendall(HEALTH)
        self.assertEqual(read_answer(link)[0], 200)

    def test_clients_that_go_away_while_their_answer_is_due_leave_nothing_behind(self):
        before = self.service.descriptors()
        accepted = self.service.stats()["accepted"]
        for number in range(60):
            link = self.link()
            link.sendall(b"POST /v1/events?wait=700ms HTTP/1.1\r\nHost: localhost\r\n"
                         b"ce-type: work\r\nContent-Type: application/json\r\n"
                         b"Content-Length: 13\r\n\r\n{\"hold\": \"g\"}")
            if number % 2:
                link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            self.service.when(lambda number=number: self.service.stats()["accepted"]
                              == accepted + number + 1)
            link.close()
        self.service.when(lambda: self.service.descriptors() <= before)
        self.assertEqual(self.service.get("/health").status, 200)


if __name__ == "__main__":
    unittest.main()
