"""A server of files on this machine, in place of the archives."""

import contextlib
import functools
import threading
from http.server import HTTPServer, SimpleHTTPRequestHandler

import pytest


@pytest.fixture
def serve():
    """Return what serves a folder: a context that gives its address, and the paths that were asked for."""

    @contextlib.contextmanager
    def served(folder):
        asked = []

        class Handler(SimpleHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                super().do_GET()

            def log_message(self, *args):
                pass

        with HTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder)) as httpd:
            thread = threading.Thread(target=httpd.serve_forever)
            thread.start()
            try:
                yield f"http://127.0.0.1:{httpd.server_port}", asked
            finally:
                httpd.shutdown()
                thread.join()

    return served
