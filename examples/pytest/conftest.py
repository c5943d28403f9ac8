"""One server of mocks for the whole suite, and a mock and a receiver of its own for each test."""

import json
import os
import subprocess
import threading
import urllib.error
import urllib.request
from http.server import ThreadingHTTPServer

import pytest

from receiver import Receiver


class Mock:
    def __init__(self, server, name):
        self.url = f"{server}/mocks/{name}"

    def ask(self, method, path="", body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def trigger(self, **wish):
        return self.ask("POST", "/v1/trigger", wish)["events"]

    def advance(self, by):
        return self.ask("POST", "/v1/clock/advance", {"by": by})

    def wait(self, status, count=1):
        return self.ask("GET", f"/v1/wait?status={status}&count={count}")["data"]


@pytest.fixture(scope="session")
def server():
    binary = os.environ.get("REDELIVER", "redeliver")
    command = [binary, "mock", "server", "--listen", "127.0.0.1:0", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    yield json.loads(process.stdout.readline())["listening"]
    process.terminate()
    assert process.wait(timeout=60) == 0


@pytest.fixture
def receiver():
    fresh = type("Fresh", (Receiver,), {"responses": {}, "failures": []})
    http = ThreadingHTTPServer(("127.0.0.1", 0), fresh)
    threading.Thread(target=http.serve_forever, daemon=True).start()
    fresh.url = f"http://127.0.0.1:{http.server_port}/hook"
    yield fresh
    http.shutdown()


@pytest.fixture
def hotjar(server, receiver, request):
    mock = Mock(server, request.node.name)
    mock.ask("PUT", body={"vendor": "hotjar", "to": receiver.url, "signing_key": "site-key"})
    yield mock
    mock.ask("DELETE")
