"""The service under systemd: a socket that hears what the program says of itself."""

import os
import pathlib
import signal
import socket
import subprocess
import unittest

from program import ATAMO

LIMIT_S = 20
CONFIG = """
event_providers:
  clock: {plugin: timer, config: {timers: [{every: 1h, type: tick}]}}
"""


class Service(unittest.TestCase):
    def setUp(self):
        pathlib.Path("hub.yaml").write_text(CONFIG)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("notify")
        self.socket.settimeout(LIMIT_S)

    def tearDown(self):
        self.socket.close()
        os.unlink("notify")

    def start(self, **more):
        environment = os.environ | {"NOTIFY_SOCKET": os.path.abspath("notify")} | more
        return subprocess.Popen([ATAMO, "run", "hub.yaml", "--quiet"], env=environment, text=True,
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def hear(self, wanted):
        """Datagrams until `wanted`; returns those before it."""
        before = []
        while (said := self.socket.recv(256).decode()) != wanted:
            before.append(said)
        return before

    def end(self, process):
        process.send_signal(signal.SIGTERM)
        text = process.communicate(timeout=LIMIT_S)[1]
        self.assertEqual(process.returncode, 0)
        return text

    def test_it_says_when_it_is_ready_when_it_reloads_and_that_it_stops(self):
        process = self.start()
        self.assertEqual(self.hear("READY=1"), [])
        process.send_signal(signal.SIGHUP)
        self.hear("RELOADING=1")
        self.hear("READY=1")
        self.end(process)
        self.hear("STOPPING=1")

    def test_it_says_that_it_is_alive_as_often_as_the_watchdog_wants(self):
        process = self.start(WATCHDOG_USEC="100000")
        for _ in range(3):
            self.hear("WATCHDOG=1")
        self.end(process)

    def test_a_configuration_that_is_wrong_is_never_ready(self):
        pathlib.Path("hub.yaml").write_text("agents: {x: {plugin: nowhere}}")
        process = self.start()
        self.assertNotEqual(process.wait(LIMIT_S), 0)
        process.stderr.close()
        self.socket.setblocking(False)
        self.assertRaises(BlockingIOError, self.socket.recv, 256)

    def test_lines_for_the_journal_begin_with_their_priority(self):
        reader, writer = os.pipe()
        status = os.fstat(writer)
        environment = os.environ | {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}
        pathlib.Path("hub.yaml").write_text(
            'event_providers: {web: {plugin: http, config: {listen: "127.0.0.1:0"}}}')
        with subprocess.Popen([ATAMO, "run", "hub.yaml"], env=environment, stderr=writer) as process:
            os.close(writer)
            with os.fdopen(reader) as lines:
                self.assertRegex(lines.readline(), r"^<6>web: listening on ")
                process.terminate()
                lines.read()


unittest.main()
