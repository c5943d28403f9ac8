"""What the receivers of these tests share: sockets, the count of effects, what was seen before.

Standard library only. A receiver keeps the ids that it has seen and its effects in a file, so that
both outlive the process. GET /effects answers the number of effects.
"""

import argparse
import json
import os
import queue
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def arguments(modes):
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--state", required=True, help="file for ids and effects")
    parser.add_argument("--key", default="")
    parser.add_argument("--basic", default="")
    parser.add_argument("--cert", help="PEM file with certificate and key: speak TLS")
    parser.add_argument("--broken", default="", choices=["", *modes])
    return parser.parse_args()


class State:
    """Ids and effects, kept in a file of one JSON line each."""

    def __init__(self, path, forgets=False):
        self.lock = threading.RLock()
        self.seen = set()
        self.effects = 0
        if os.path.exists(path):
            with open(path, encoding="utf-8") as lines:
                for line in lines:
                    entry = json.loads(line)
                    if "id" in entry and not forgets:
                        self.seen.add(entry["id"])
                    if "effect" in entry:
                        self.effects += 1
        self.file = open(path, "a", encoding="utf-8", buffering=1)

    def remember(self, identity):
        """Whether it is new."""
        with self.lock:
            if identity in self.seen:
                return False
            self.seen.add(identity)
            self.file.write(json.dumps({"id": identity}) + "\n")
            return True

    def effect(self):
        with self.lock:
            self.effects += 1
            self.file.write('{"effect": 1}\n')


class Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True
    allow_reuse_address = True


def serve(options, receive, state, get=lambda handler: 200):
    """Answers POST with the status that `receive(headers, raw)` gives; None hangs up."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Headers and body in one piece: in two, the second waits for the first one's receipt.
        wbufsize = 64 * 1024

        def answer(self, status, text="", headers=()):
            body = text.encode()
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            if status != 204:
                self.send_header("content-length", str(len(body)))
            self.end_headers()
            if status != 204:
                self.wfile.write(body)

        def do_GET(self):
            if self.path == "/effects":
                with state.lock:
                    return self.answer(200, str(state.effects))
            self.answer(get(self))

        def do_POST(self):
            raw = self.rfile.read(int(self.headers.get("content-length", "0")))
            try:
                status = receive(self.headers, raw)
            except Exception as error:  # what frameworks do
                print(f"broke: {error!r}", file=sys.stderr)
                status = 500
            if status is None:
                self.close_connection = True
                return
            if status == 302:
                return self.answer(302, headers=[("location", "/elsewhere")])
            self.answer(status)

        def log_message(self, *args):
            pass

    server = Server(("127.0.0.1", options.port), Handler)
    if options.cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.cert)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    print(server.server_address[1], flush=True)
    server.serve_forever()


class Faults:
    """The ways to be broken that have nothing to do with a vendor."""

    NAMES = [
        "hangs",
        "hangs-up",
        "redirects",
        "refuses-everything",
        "slow-under-load",
        "loses-updates",
        "counts-twice",
        "conflict-on-duplicate",
        "no-deduplication",
        "racy-deduplication",
        "works-later",
        "works-later-and-again",
        "works-each-for-itself",
        "forgets-at-restart",
        "refuses-after-restart",
    ]

    def __init__(self, broken, state_path):
        self.broken = broken
        self.restarted = os.path.exists(state_path)
        self.state = State(state_path, forgets=broken == "forgets-at-restart")
        self.one_at_a_time = threading.Lock()
        self.later = queue.Queue()
        threading.Thread(target=self.work_off, daemon=True).start()

    def before(self):
        """The answer, if the message does not matter."""
        if self.broken == "hangs":
            threading.Event().wait()
        if self.broken == "refuses-everything":
            return 401
        if self.broken == "redirects":
            return 302
        if self.broken == "refuses-after-restart" and self.restarted:
            return 503
        if self.broken == "slow-under-load":
            with self.one_at_a_time:
                time.sleep(0.1)
        return 0

    def work(self, identity, slowly=True):
        """Does the work of one message, if it is new; says whether it was. None is always new."""
        state, broken = self.state, self.broken
        if broken == "racy-deduplication" and identity is not None:
            if identity in state.seen:
                return False
            time.sleep(0.1 if slowly else 0)
            state.remember(identity)
        elif broken not in ("no-deduplication", "works-later-and-again") and identity is not None:
            if not state.remember(identity):
                return False
        if broken == "loses-updates":
            before = state.effects
            time.sleep(0.05 if slowly else 0)
            state.effects = before + 1
            return True
        if broken == "works-each-for-itself":
            threading.Timer(0.6, state.effect).start()
            return True
        if broken.startswith("works-later"):
            self.later.put(identity)
            return True
        state.effect()
        if broken == "counts-twice":
            state.effect()
        return True

    def work_off(self):
        """Does what was put off until after the answer."""
        while True:
            self.later.get()
            time.sleep(0.02)
            self.state.effect()
