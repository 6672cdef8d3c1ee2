"""The feed in programs with other main loops: poll() and SDL's events."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import threading
import unittest

GUIDE = pathlib.Path(__file__).parent
BUILT = pathlib.Path(os.environ["ATAMO_BUILD_DIR"]) / "tests/integration/gui" / GUIDE.name
LIMIT_S = 30
VALUES = 3  # more than once: a feed


@contextlib.contextmanager
def program(name):
    """It runs, beside the agents and what they read; it does not outlive a test that fails."""
    for file in (*GUIDE.glob("*.yaml"), *GUIDE.glob("*.csv"), *BUILT.glob("*.so")):
        shutil.copy(file, ".")
    with subprocess.Popen([BUILT / name], env=os.environ | {"SDL_VIDEODRIVER": "dummy"},
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        watchdog = threading.Timer(LIMIT_S, process.kill)
        watchdog.start()
        try:
            yield process
        finally:
            watchdog.cancel()
            process.kill()


class OtherLoops(unittest.TestCase):
    def expect_a_feed(self, process):
        """Of both agents, and of the station again and again."""
        seen = []
        while "Mean" not in seen or seen.count("Now") < VALUES:
            line = process.stdout.readline()
            self.assertNotEqual(line, "", f"it ended after {seen}")
            self.assertRegex(line, r"^(Mean|Highest|Now|Wind): \d+\.\d (°C|m/s)$")
            seen.append(line.split(":")[0])

    def test_a_loop_of_poll_shows_the_feed_until_enter_is_pressed(self):
        with program("poll") as process:
            self.expect_a_feed(process)
            process.stdin.write("\n")
            process.stdin.flush()
            self.assertEqual(process.wait(LIMIT_S), 0)

    @unittest.skipUnless((BUILT / "sdl").exists(), "there is no SDL 2 here")
    def test_a_loop_of_sdl_events_shows_the_feed_until_it_is_told_to_quit(self):
        with program("sdl") as process:
            self.expect_a_feed(process)
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(LIMIT_S), 0)


if __name__ == "__main__":
    unittest.main()
