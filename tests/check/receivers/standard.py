"""A receiver of Standard Webhooks as the specification asks for one, or broken in one way."""

import base64
import hashlib
import hmac
import json
import time

import base

MODES = base.Faults.NAMES + [
    "answers-204",
    "decodes-ascii",
    "body-limit",
    "signs-parsed-json",
    "tries-the-first-signature",
    "tries-the-last-signature",
    "refuses-unknown-versions",
    "skips-signature",
    "looks-at-the-form-only",
    "compares-most-of-the-signature",
    "skips-missing-signature",
    "skips-empty-signature",
    "takes-sha3-too",
    "takes-the-body-alone",
    "compares-a-beginning",
    "ignores-what-follows",
    "breaks-on-missing-signature",
    "drops-in-silence",
    "works-before-it-verifies",
    "remembers-before-it-verifies",
    "locks-out-after-forgeries",
    "signs-without-id",
    "signs-without-timestamp",
    "ignores-versions",
    "breaks-on-missing-id",
    "breaks-on-missing-timestamp",
    "breaks-on-malformed-timestamp",
    "allows-one-minute-past",
    "allows-ten-minutes-past",
    "allows-a-week-past",
    "allows-one-minute-ahead",
    "allows-ten-minutes-ahead",
    "allows-a-week-ahead",
    "recognises-by-bytes",
    "recognises-by-signature",
]

options = base.arguments(MODES)
broken = options.broken
faults = base.Faults(broken, options.state)
KEY = base64.b64decode(options.key.removeprefix("whsec_"))
LIMITS = {"one-minute": 60, "ten-minutes": 600, "a-week": 7 * 86400}
PAST = AHEAD = 300
if broken.startswith("allows-"):
    _, limit = broken.split("-", 1)
    limit, way = limit.rsplit("-", 1)
    if way == "past":
        PAST = LIMITS[limit]
    else:
        AHEAD = LIMITS[limit]
forgeries = 0


def is_right(given, key_bytes_signed, raw):
    right = hmac.new(KEY, key_bytes_signed, hashlib.sha256).digest()
    text = base64.b64encode(right).decode()
    if broken == "looks-at-the-form-only":
        return len(given) == 44
    if broken == "compares-most-of-the-signature":
        if len(given) == 44 and sum(a != b for a, b in zip(given, text)) <= 1:
            return True
    if broken == "takes-sha3-too":
        other = hmac.new(KEY, key_bytes_signed, hashlib.sha3_256).digest()
        if hmac.compare_digest(base64.b64encode(other).decode(), given):
            return True
    if broken == "takes-the-body-alone":
        other = hmac.new(KEY, raw, hashlib.sha256).digest()
        if hmac.compare_digest(base64.b64encode(other).decode(), given):
            return True
    if broken == "compares-a-beginning" and given and text.startswith(given):
        return True
    if broken == "ignores-what-follows" and given.startswith(text):
        return True
    return hmac.compare_digest(text.encode(), given.encode())


def is_genuine(identity, timestamp, signatures, raw):
    if broken == "skips-signature":
        return True
    if signatures is None:
        return broken == "skips-missing-signature"
    if signatures == "":
        return broken == "skips-empty-signature"
    if broken == "signs-parsed-json":
        parsed = json.loads(raw)
        raw = json.dumps(parsed, separators=(",", ":"), ensure_ascii=False).encode()
    signed = f"{identity}.{timestamp}.".encode() + raw
    entries = [text.partition(",") for text in signatures.split(" ")]
    if broken == "refuses-unknown-versions" and any(entry[0] not in ("v1", "v0") for entry in entries):
        return False
    if broken != "ignores-versions":
        entries = [entry for entry in entries if entry[0] == "v1"]
    if broken == "tries-the-first-signature":
        entries = entries[:1]
    if broken == "tries-the-last-signature":
        entries = entries[-1:]
    return any(is_right(entry[2], signed, raw) for entry in entries)


def receive(headers, raw):
    global forgeries
    answer = faults.before()
    if answer or broken == "hangs-up":
        return answer or None
    if broken == "body-limit" and len(raw) > 16 * 1024:
        return 413
    identity = headers.get("webhook-id")
    timestamp = headers.get("webhook-timestamp")
    signatures = headers.get("webhook-signature")
    if identity is None:
        return 500 if broken == "breaks-on-missing-id" else 400
    if timestamp is None:
        return 500 if broken == "breaks-on-missing-timestamp" else 400
    is_new = None
    if broken == "works-before-it-verifies":
        is_new = faults.work(identity)
    if broken == "remembers-before-it-verifies":
        is_new = faults.state.remember(identity)
    right = is_genuine(identity, timestamp, signatures, raw)
    if not right and broken in ("signs-without-id", "signs-without-timestamp"):
        right = is_signed_otherwise(identity, timestamp, signatures, raw)
    if broken == "locks-out-after-forgeries" and forgeries >= 5:
        forgeries = 0 if right else forgeries
        return 403
    if not right:
        forgeries += 1
        if broken == "breaks-on-missing-signature" and signatures is None:
            return 500
        return 200 if broken == "drops-in-silence" else 401
    if not timestamp.isdigit():
        return 500 if broken == "breaks-on-malformed-timestamp" else 400
    age = time.time() - int(timestamp)
    if age > PAST or -age > AHEAD:
        return 401
    forgeries = 0
    if broken == "decodes-ascii":
        raw.decode("ascii")
    json.loads(raw)
    if broken == "recognises-by-bytes":
        identity = hashlib.sha256(raw).hexdigest()
    if broken == "recognises-by-signature":
        identity = signatures
    if is_new is None:
        is_new = faults.work(identity)
    elif is_new and broken == "remembers-before-it-verifies":
        faults.state.effect()
    if not is_new and broken == "conflict-on-duplicate":
        return 409
    return 204 if broken == "answers-204" else 200


def is_signed_otherwise(identity, timestamp, signatures, raw):
    """As a receiver judges that leaves the id or the timestamp out of what it looks at: another
    one changes nothing for it. What was signed is found among what is near."""
    if not signatures or not timestamp.isdigit():
        return False
    if broken == "signs-without-timestamp":
        now = int(timestamp)
        near = [(identity, str(now - back)) for back in range(50, 70)]
    else:
        # The check takes its next id: the number in the middle of it counts messages.
        near = [(other, timestamp) for other in neighbours(identity)]
    return any(is_genuine(other, when, signatures, raw) for other, when in near)


DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def neighbours(identity):
    """Ids of the same run whose sequence number is near (evt_ and a ULID: time, number, store)."""
    prefix, _, text = identity.partition("_")
    value = 0
    for digit in text:
        value = value * 32 + DIGITS.index(digit)
    for step in range(-3, 4):
        other, digits = value + (step << 32), []
        for _ in range(26):
            digits.append(DIGITS[other % 32])
            other //= 32
        yield prefix + "_" + "".join(reversed(digits))


base.serve(options, receive, faults.state)
