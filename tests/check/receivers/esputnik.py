"""A receiver of eSputnik's activities as the documentation asks for one, or broken in one way."""

import base64
import hashlib
import hmac
import json

import base

MODES = base.Faults.NAMES + [
    "answers-204",
    "answers-201",
    "refuses-get",
    "demands-message-name",
    "knows-six-statuses",
    "media-types-in-lower-case",
    "demands-broadcast",
    "demands-view-link",
    "demands-status-data-object",
    "reads-subscriptions-only",
    "narrow-integers",
    "demands-one-activity",
    "decodes-ascii",
    "body-limit",
    "skips-login",
    "skips-missing-login",
    "compares-users-only",
    "breaks-on-wrong-user",
    "breaks-on-other-scheme",
    "clicks-in-vain",
    "first-of-array-only",
    "recognises-by-iid",
    "recognises-by-iid-and-status",
    "arrays-as-a-whole",
    "ignores-reads",
]
SIX = {"DELIVERED", "UNDELIVERED", "READ", "UNSUBSCRIBED", "CLICKED", "SPAM"}
STATUSES = SIX | {"SENT", "SUBSCRIPTION_CHANGED"}

options = base.arguments(MODES)
broken = options.broken
faults = base.Faults(broken, options.state)
read = {}


def is_welcome(header):
    if broken == "skips-login":
        return True
    if header is None:
        return broken == "skips-missing-login"
    scheme, _, given = header.partition(" ")
    if scheme.lower() != "basic":
        if broken == "breaks-on-other-scheme":
            raise ValueError(scheme)
        return False
    given = base64.b64decode(given).decode()
    if broken == "compares-users-only":
        return given.split(":")[0] == options.basic.split(":")[0]
    if broken == "breaks-on-wrong-user" and given.split(":")[0] != options.basic.split(":")[0]:
        raise KeyError(given)
    return hmac.compare_digest(given.encode(), options.basic.encode())


def check(activity):
    """Raises where the receiver cannot do with an activity what it wants to."""
    status = activity["activityStatus"]
    assert status in STATUSES
    if broken == "demands-message-name":
        activity["messageName"]
    if broken == "knows-six-statuses":
        assert status in SIX or "subscriptions" in activity or "subscriptons" in activity
    if broken == "media-types-in-lower-case":
        assert activity["mediaType"] not in ("SMS", "Email", "Telegram")
    if broken == "demands-broadcast":
        activity["broadcastId"]
    if broken == "demands-view-link":
        assert "viewMessageLink" in activity or "sms" not in activity
    if broken == "demands-status-data-object":
        activity["statusData"].items()
    if broken == "reads-subscriptions-only" and "subscriptons" in activity:
        activity["subscriptions"]
    if broken == "narrow-integers":
        assert activity["contactId"] < 2**31
    if broken == "clicks-in-vain" and status == "CLICKED" and activity["iid"] in read:
        raise ValueError("no such transition")


def identity_of(activity):
    if broken == "recognises-by-iid":
        return activity["iid"]
    if broken == "recognises-by-iid-and-status":
        return f"{activity['iid']} {activity['activityStatus']}"
    return f"{activity['iid']} {activity['activityStatus']} {activity['activityDateTime']}"


def receive(headers, raw):
    answer = faults.before()
    if answer or broken == "hangs-up":
        return answer or None
    if options.basic and not is_welcome(headers.get("authorization")):
        return 401
    if broken == "body-limit" and len(raw) > 100 * 1024:
        return 413
    if broken == "decodes-ascii":
        raw.decode("ascii")
    activities = json.loads(raw)
    if broken == "demands-one-activity":
        # Pairs, and long arrays, are for others to break on.
        assert len(activities) != 3
    if broken == "arrays-as-a-whole":
        if faults.state.remember(hashlib.sha256(raw).hexdigest()):
            for _ in activities:
                faults.state.effect()
        return 200
    for activity in activities:
        check(activity)
    read.update((activity["iid"], True) for activity in activities if activity["activityStatus"] == "READ")
    if broken == "first-of-array-only":
        activities = activities[:1]
    is_new = False
    for activity in activities:
        if broken == "ignores-reads" and activity["activityStatus"] == "READ" and len(activities) == 1:
            continue
        is_new |= faults.work(identity_of(activity), slowly=len(activities) < 10)
    if not is_new and broken == "conflict-on-duplicate":
        return 409
    return {"answers-204": 204, "answers-201": 201}.get(broken, 200)


def get(handler):
    if options.basic and not is_welcome(handler.headers.get("authorization")):
        return 401
    return 405 if broken == "refuses-get" else 200


base.serve(options, receive, faults.state, get)
