"""HTTPS: certificates, and new ones while the hub runs."""

import http.client
import pathlib
import shutil
import ssl
import subprocess
import sys
import unittest

from program import Running
from service import await_service, serve

LIMIT_S = 15
CONFIG = """
agents: {out: {plugin: log}}
event_providers: {api: HTTP}
rules: [{id: show, on: shown, then: {agent: out, action: show}}]
"""
TLS = ', tls_certificate: live.crt, tls_key: live.key'


def make(name):
    """A certificate of its own for localhost: NAME.crt, NAME.key."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-keyout",
                    f"{name}.key", "-out", f"{name}.crt", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost"], check=True, capture_output=True)


def put_live(name):
    """As certificate tools do: new files in the place of the old ones."""
    for kind in ("crt", "key"):
        shutil.copy(f"{name}.{kind}", f"{name}.{kind}.new")
        pathlib.Path(f"{name}.{kind}.new").rename(f"live.{kind}")


def connect(service, trusted):
    port = int(service.address.rpartition(":")[2])
    return http.client.HTTPSConnection("localhost", port, timeout=LIMIT_S,
                                       context=ssl.create_default_context(cafile=trusted))


def asks(service, trusted, path="/health"):
    connection = connect(service, trusted)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except ssl.SSLCertVerificationError:
        return 0
    finally:
        connection.close()


@unittest.skipIf(shutil.which("openssl") is None, "makes certificates with openssl")
class Tls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        make("first")
        make("second")

    def setUp(self):
        put_live("first")

    def serve(self):
        context = serve(CONFIG, options=TLS)
        service = context.__enter__()
        service.address = service.address.removeprefix("https://")
        self.addCleanup(context.__exit__, None, None, None)
        return service

    def test_it_speaks_https_and_nothing_else(self):
        service = self.serve()
        self.assertEqual(asks(service, "first.crt"), 200)
        self.assertNotIn(b"200", service.say(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"))

    def test_a_new_certificate_is_taken_over_and_old_connections_go_on(self):
        service = self.serve()
        old = connect(service, "first.crt")
        old.request("GET", "/health")
        self.assertEqual(old.getresponse().read(), b'{"status":"ok"}')
        put_live("second")
        service.when(lambda: asks(service, "second.crt") == 200, "the new certificate")
        self.assertEqual(asks(service, "first.crt"), 0)
        old.request("GET", "/health")
        self.assertEqual(old.getresponse().status, 200)
        old.close()

    def test_files_that_are_no_certificate_change_nothing(self):
        service = self.serve()
        pathlib.Path("live.crt").write_text("nonsense")
        service.hub.line_of("the new certificate is not taken")
        self.assertEqual(asks(service, "first.crt"), 200)
        put_live("second")
        service.when(lambda: asks(service, "second.crt") == 200, "the new certificate")

    def test_a_key_that_does_not_fit_is_refused_at_the_start(self):
        shutil.copy("second.key", "live.key")
        with self.assertRaisesRegex(AssertionError, "fit together|not started"):
            self.serve()

    def test_a_file_that_is_not_there_is_named(self):
        pathlib.Path("live.key").unlink()
        config = CONFIG.replace("HTTP", '{plugin: http, config: {listen: "127.0.0.1:0"%s}}' % TLS)
        pathlib.Path("atamo.yaml").write_text(config)
        with Running("atamo.yaml") as hub:
            self.assertIn("live.key", hub.line_of("live.key"))


if __name__ == "__main__":
    sys.exit(unittest.main())
