"""A receiver of Hotjar's survey webhooks, as small as one can be and still be right."""

import hashlib
import hmac
import json
import time
from http.server import BaseHTTPRequestHandler

MAX_AGE_S = 300


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    key = b"site-key"
    # What a database would be: responses by their id, so that a repeat changes nothing.
    responses = {}
    # Answers to be given before anything is looked at: a receiver that is down.
    failures = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.failures.pop(0) if self.failures else self.take(body))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def take(self, body):
        wanted = hmac.new(self.key, body, hashlib.sha3_256).hexdigest()
        given = self.headers.get("com-hotjar-signature", "")
        if not hmac.compare_digest(wanted.encode(), given.encode()):
            return 401
        message = json.loads(body)
        if time.time() - message["timestamp"] > MAX_AGE_S:
            return 403
        if message["event"] == "survey_response":
            self.responses[message["data"]["id"]] = message["data"]
        return 200

    def log_message(self, *args):
        pass
