"""A receiver as Hotjar's documentation asks for one (HOT-31 to HOT-36).

Standard library only. Prints its port, then one JSON line for each POST. Answers 401 where the
signature or the age is not right, 500 to the first FAILURES that are, and 200 from then on.

Usage: receiver.py KEY FAILURES BROKER_URL, where BROKER_URL is asked what time it is.
"""

import hashlib
import hmac
import json
import sys
import urllib.request
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = sys.argv[1].encode("utf-8")
FAILURES = int(sys.argv[2])
BROKER = sys.argv[3]
MAX_AGE = 5 * 60

verified = 0
effects = set()


def now():
    """The broker's clock is a manual one, so it is the only one that can say how old a thing is."""
    with urllib.request.urlopen(BROKER + "/v1/clock", timeout=10) as answer:
        text = json.load(answer)["now"]
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def judge(headers, raw):
    """The signature over the raw bytes first, then the age."""
    expected = hmac.new(KEY, raw, hashlib.sha3_256).hexdigest()
    given = headers.get("com-hotjar-signature", "")
    if not hmac.compare_digest(expected.encode(), given.encode()):
        return "bad signature", None, None
    payload = json.loads(raw)
    age = now() - payload["timestamp"]
    if age > MAX_AGE:
        return "stale", payload, age
    return "ok", payload, age


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        global verified
        raw = self.rfile.read(int(self.headers.get("content-length", "0")))
        verdict, payload, age = judge(self.headers, raw)
        if verdict != "ok":
            status = 401
        elif verified < FAILURES:
            verified += 1
            status = 500
        else:
            # Deliveries may come twice: the response's own id makes them one effect (HOT-18).
            effects.add(payload["data"]["id"])
            status = 200
        line = {
            "verdict": verdict,
            "status": status,
            "age": age,
            "payload": payload,
            "attempt": self.headers.get("redeliver-attempt"),
            "content_type": self.headers.get("content-type"),
            "effects": len(effects),
        }
        print(json.dumps(line), flush=True)
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
