"""A client of the external API as Zenovay's guide has it (ZSS-01 to ZSS-10).

Standard library only. Asks each PATH in turn, waits out a 429, and prints one JSON line for each:
the data, or what was thrown.

Usage: client.py BASE_URL API_KEY PATH...
"""

import json
import sys
import urllib.error
import urllib.request


class ZenovayClient:
    def __init__(self, api_key, base_url, max_retries=3):
        self.api_key = api_key
        self.base_url = base_url
        self.max_retries = max_retries

    def get(self, path):
        for _ in range(self.max_retries + 1):
            request = urllib.request.Request(self.base_url + path, headers={"X-API-Key": self.api_key})
            try:
                with urllib.request.urlopen(request, timeout=30) as answer:
                    status, headers, raw = answer.status, answer.headers, answer.read()
            except urllib.error.HTTPError as refused:
                status, headers, raw = refused.code, refused.headers, refused.read()
            if status == 429:
                # An HTTP date would raise here.
                wait = int(headers.get("Retry-After", "60"))
                print(json.dumps({"wait": wait}), flush=True)
                # The broker's clock is a manual one: the test moves it by that much, and says so by a line.
                sys.stdin.readline()
                continue
            body = json.loads(raw)
            if not body.get("success"):
                raise RuntimeError(f"API error {status}: {json.dumps(body)}")
            return body["data"]
        raise RuntimeError("Max retries exceeded")


def main():
    client = ZenovayClient(sys.argv[2], sys.argv[1] + "/api/external/v1")
    for path in sys.argv[3:]:
        try:
            print(json.dumps({"data": client.get(path)}), flush=True)
        except RuntimeError as error:
            print(json.dumps({"error": str(error)}), flush=True)


main()
