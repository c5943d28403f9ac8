"""A receiver of Hotjar's surveys as the documentation asks for one, or broken in one way."""

import base64
import hashlib
import hmac
import json
import time

import base

MODES = base.Faults.NAMES + [
    "answers-204",
    "breaks-on-test-message",
    "refuses-unknown-events",
    "refuses-unknown-fields",
    "breaks-on-nulls",
    "demands-id-of-responses",
    "reads-question_text-only",
    "reads-questiom_text-only",
    "knows-few-question-types",
    "demands-questions",
    "attributes-are-texts",
    "decodes-ascii",
    "body-limit",
    "demands-order",
    "signs-parsed-json",
    "skips-signature",
    "compares-most-of-the-signature",
    "skips-missing-signature",
    "skips-empty-signature",
    "looks-at-the-form-only",
    "takes-sha256-too",
    "compares-a-beginning",
    "ignores-what-follows",
    "breaks-on-missing-signature",
    "gone-on-missing-signature",
    "drops-in-silence",
    "works-before-it-verifies",
    "remembers-before-it-verifies",
    "locks-out-after-forgeries",
    "allows-one-minute",
    "allows-ten-minutes",
    "allows-a-week",
    "recognises-by-bytes",
    "recognises-by-user",
    "recognises-null-ids",
    "verifies-json-written-again",
    "verifies-with-a-newline",
    "verifies-base64",
    "verifies-another-key",
]
TYPES = {
    "reaction", "long-text", "short-text", "single-option", "multiple-option", "email",
    "1-5-rating", "1-7-rating", "nps", "unknown",
}  # fmt: skip

options = base.arguments(MODES)
broken = options.broken
faults = base.Faults(broken, options.state)
KEY = options.key.encode()
MAX_AGE = {"allows-one-minute": 60, "allows-ten-minutes": 600, "allows-a-week": 7 * 86400}.get(
    broken, 300
)
indexes = []
forgeries = 0


def is_genuine(given, raw):
    if broken == "skips-signature":
        return True
    if given is None:
        return broken == "skips-missing-signature"
    if given == "":
        return broken == "skips-empty-signature"
    if broken == "signs-parsed-json":
        parsed = json.loads(raw)
        raw = json.dumps(parsed, separators=(",", ":"), ensure_ascii=False).encode()
    # Each for every message: the genuine one is refused, and so is all else.
    if broken == "verifies-json-written-again":
        raw = json.dumps(json.loads(raw)).encode()
    key = KEY
    if broken == "verifies-with-a-newline":
        key += b"\n"
    if broken == "verifies-another-key":
        key = b"another"
    right = hmac.new(key, raw, hashlib.sha3_256).hexdigest()
    if broken == "verifies-base64":
        right = base64.b64encode(bytes.fromhex(right)).decode()
    if broken == "looks-at-the-form-only":
        return len(given) == 64 and all(c in "0123456789abcdef" for c in given)
    if broken == "compares-most-of-the-signature":
        if len(given) == 64 and sum(a != b for a, b in zip(given, right)) <= 1:
            return True
    if broken == "takes-sha256-too":
        if hmac.compare_digest(hmac.new(KEY, raw, hashlib.sha256).hexdigest(), given):
            return True
    if broken == "compares-a-beginning" and right.startswith(given):
        return True
    if broken == "ignores-what-follows" and given.startswith(right):
        return True
    return hmac.compare_digest(right.encode(), given.encode())


def check_questions(data):
    for question in data.get("questions") or []:
        if broken == "reads-question_text-only":
            question["question_text"]
        if broken == "reads-questiom_text-only":
            question["questiom_text"]
        if broken == "knows-few-question-types" and question["question_type"] == "unknown":
            raise ValueError("unknown type")
        assert question["question_type"] in TYPES
        for answer in question["answers"]:
            str(answer["answer"])
    if broken == "demands-questions" and data.get("questions") == []:
        raise ValueError("no questions")


def receive(headers, raw):
    global forgeries
    answer = faults.before()
    if answer or broken == "hangs-up":
        return answer or None
    if broken == "body-limit" and len(raw) > 100 * 1024:
        return 413
    given = headers.get("com-hotjar-signature")
    is_new = None
    if broken in ("works-before-it-verifies", "remembers-before-it-verifies"):
        early = json.loads(raw)
        if early["event"] == "survey_response":
            identity = early["data"]["id"]
            if broken == "works-before-it-verifies":
                is_new = faults.work(identity)
            else:
                is_new = identity is None or faults.state.remember(identity)
    right = is_genuine(given, raw)
    if broken == "locks-out-after-forgeries" and forgeries >= 5:
        forgeries = 0 if right else forgeries
        return 403
    if not right:
        forgeries += 1
        if broken == "breaks-on-missing-signature" and given is None:
            return 500
        if broken == "gone-on-missing-signature" and given is None:
            return 410
        return 200 if broken == "drops-in-silence" else 401
    if broken == "decodes-ascii":
        raw.decode("ascii")
    payload = json.loads(raw)
    if time.time() - payload["timestamp"] > MAX_AGE:
        return 401
    forgeries = 0
    data = payload["data"]
    if broken == "refuses-unknown-fields" and set(payload) - {"event", "version", "timestamp", "data"}:
        return 422
    if broken == "breaks-on-test-message" and payload["event"] == "test_message":
        data["id"]
    if payload["event"] != "survey_response":
        # Neither the test message nor what is to come means anything here.
        if broken == "refuses-unknown-events" and payload["event"] != "test_message":
            return 400
        return 200
    if broken == "breaks-on-nulls":
        len(data["questions"])
    if broken == "demands-id-of-responses" and data["id"] is None:
        return 422
    if broken == "attributes-are-texts":
        for value in (data["user_attributes"] or {}).values():
            value.upper()
    check_questions(data)
    if broken == "demands-order" and data["index"] is not None:
        if indexes and data["index"] < max(indexes) * 0.75:
            return 409
        indexes.append(data["index"])
    identity = data["id"]
    if broken == "recognises-by-bytes":
        identity = hashlib.sha256(raw).hexdigest()
    if broken == "recognises-by-user":
        identity = f"{data['hotjar_user_id']} {data['created_str']}"
    if broken == "recognises-null-ids":
        identity = str(data["id"])
    if is_new is None:
        is_new = faults.work(identity)
    elif is_new and broken == "remembers-before-it-verifies":
        faults.state.effect()
    if not is_new and broken == "conflict-on-duplicate":
        return 409
    return 204 if broken == "answers-204" else 200


base.serve(options, receive, faults.state)
