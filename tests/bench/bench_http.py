"""bench http: events over HTTP, beside the HTTP library with a canned answer.

wrk on one core posts CloudEvents of 1 KB over 64 kept connections to the hub on another core:
stateless, then durable; the limit is the same to `bench_canned`. Then 1,000 readers of telemetry
while 20,000 events a second flow: what each reader got, and what it was told that it missed.
Prints one JSON object.
"""

import json
import os
import pathlib
import re
import select
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

BUILD = pathlib.Path(sys.argv[1])
SECONDS = 5
CONNECTIONS = 64
READERS, RATE, READING_S = 1000, 20000, 5
SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/cloudevents+json"
wrk.body = '{"specversion":"1.0","source":"/bench","type":"order.created",' ..
           '"data":{"pad":"' .. string.rep("x", 900) .. '"}}'
"""
CONFIG = """
hub: {mode: %s}
event_providers:
  web: {plugin: http, config: {listen: "127.0.0.1:0"}}
%s
agents:
  nobody: {plugin: flaky}
rules:
  - {id: orders, on: order.*, then: [{agent: nobody, action: take}]}
"""


class Server:
    """A server on one core, with the port that it says."""

    def __init__(self, words, pattern, core="0"):
        self.process = subprocess.Popen(["taskset", "-c", core, *words], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)
        self.port = None
        for line in self.process.stdout:
            found = re.search(pattern, line)
            if found:
                self.port = int(found.group(1))
                break
        self.drain = threading.Thread(target=lambda: list(self.process.stdout))
        self.drain.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.stdin.close()
        self.process.wait()
        self.drain.join()
        self.process.stdout.close()

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}") as answer:
            return json.load(answer)


def hub(folder, mode, more="", core="0"):
    config = folder / f"{mode}.yaml"
    config.write_text(CONFIG % (mode, more))
    return Server([BUILD / "bin/atamo", "run", config, "--quiet"],
                  r"listening on http://127.0.0.1:(\d+)", core)


def load(port, script):
    out = subprocess.run(["taskset", "-c", "1", "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s",
                          "--latency", "-s", script, f"http://127.0.0.1:{port}/v1/events"],
                         text=True, capture_output=True, check=True).stdout
    unit = {"us": 1, "ms": 1000, "s": 1000000}
    times = {name: float(value) * unit[kind]
             for name, value, kind in re.findall(r"(50|99)%\s+([\d.]+)(us|ms|s)\b", out)}
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    return {"messages_per_s": round(float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))),
            "p50_us": round(times["50"]), "p99_us": round(times["99"]),
            "refused": int(bad.group(1)) if bad else 0}


def measure(server, script):
    with server:
        return load(server.port, script)


def feed(stream, until):
    """RATE lines a second, in pieces of a few milliseconds."""
    line = '{"specversion":"1.0","source":"/bench","type":"order.created","data":{}}\n'
    begin = time.monotonic()
    sent = 0
    while (now := time.monotonic()) < until:
        due = int((now - begin) * RATE) - sent
        stream.write(line * due)
        stream.flush()
        sent += due
        time.sleep(0.005)
    return sent


def read_streams(port):
    """Readers that take what comes until told to stop; [bytes, gaps, missed] of all together."""
    streams = []
    for _ in range(READERS):
        stream = socket.create_connection(("127.0.0.1", port))
        stream.sendall(b"GET /v1/telemetry HTTP/1.1\r\nHost: localhost\r\n\r\n")
        stream.setblocking(False)
        streams.append(stream)
    return streams


def take(streams, until):
    poller = select.epoll()
    by_number = {stream.fileno(): stream for stream in streams}
    for number in by_number:
        poller.register(number, select.EPOLLIN)
    total = missed = gaps = 0
    told = set()
    while time.monotonic() < until:
        for number, _ in poller.poll(0.1):
            data = by_number[number].recv(262144)
            total += len(data)
            for lost in re.findall(rb'"lost":(\d+)', data):
                missed += int(lost)
                gaps += 1
                told.add(number)
    poller.close()
    return total, gaps, missed, len(told)


def watch(folder):
    with hub(folder, "stateless", "  input: {plugin: stdin}", "0,1") as server:
        streams = read_streams(server.port)
        until = time.monotonic() + READING_S
        result = []
        reader = threading.Thread(target=lambda: result.extend(take(streams, until + 1)))
        reader.start()
        sent = feed(server.process.stdin, until)
        reader.join()
        accepted = server.get("/v1/stats")["accepted"]
        for stream in streams:
            stream.close()
    return {"readers": READERS, "sent_per_s": round(sent / READING_S),
            "accepted_per_s": round(accepted / READING_S), "megabytes_read": round(result[0] / 1e6),
            "gaps_told": result[1], "steps_missed": result[2]}


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        os.chdir(folder)
        script = folder / "post.lua"
        script.write_text(SCRIPT)
        limit = measure(Server([BUILD / "tests/bench/bench_canned"], r"^(\d+)$"), script)
        stateless = measure(hub(folder, "stateless"), script)
        durable = measure(hub(folder, "durable"), script)
        watched = watch(folder)
    for figures in (stateless, durable):
        figures["ratio_to_limit"] = round(figures["messages_per_s"] / limit["messages_per_s"], 2)
    print(json.dumps({"case": "http", **stateless, "durable": durable, "telemetry": watched,
                      "limit": {"what": "the HTTP library with a canned answer", **limit}}))


main()
