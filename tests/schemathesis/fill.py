"""Fills a broker with what there can be: events, deliveries in every state, a task."""

import json
import sys
import urllib.request

server, hook = sys.argv[1:]


def post(path, body, **headers):
    headers = {"Content-Type": "application/json", **headers}
    data = json.dumps(body).encode()
    request = urllib.request.Request(server + path, data, headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


post("/v1/endpoints", {"name": "crm", "url": hook, "policy": "standard", "events": ["order.*"]})
post("/v1/endpoints", {"name": "quiet", "url": hook, "policy": "hotjar", "allow_http": True})
for number in range(30):
    kind = "order.paid" if number % 2 else "page_view"
    data = {"order": number, "page_url": "/", "browser": "Firefox"}
    post("/v1/events", {"type": kind, "data": data, "subject": "u-1", "id": f"e-{number}"})
event = {
    "userId": "u-17",
    "eventName": "Added To Cart",
    "eventTime": "2026-01-31T09:30:00+0000",
    "eventData": {"Product Name": "Shoes", "Price": 49.5},
}
post("/v1/accounts/LICENSE_CODE/events", event, Authorization="Bearer t0ken")
post("/in/raw?type=raw", {"a": 1})
post("/v1/clock/advance", {"by": "45m"})
post("/v1/endpoints/quiet/pause", {})
post("/v1/events", {"type": "order.late", "data": None})
post("/v1/tasks", {"kind": "replay", "dry_run": True})
