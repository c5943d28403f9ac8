export REDELIVER_TOKEN=token ZEBLINE_TOKEN=token ZENOVAY_API_KEY=key HOTJAR_KEY=site-key \
  HOOK_PASSWORD=password CRM_PASSWORD=password WAREHOUSE_KEY=key

printf %s "$HOTJAR_KEY" >key.txt

cat >redeliver.toml <<'END'
[[source]]
name = "surveys"
kind = "hotjar"
key = "env:HOTJAR_KEY"
END

cat >capture.har <<'END'
{"log": {"entries": [{"request": {"method": "POST", "url": "https://example.com/hook",
  "headers": [{"name": "content-type", "value": "application/json"}],
  "postData": {"mimeType": "application/json", "text":
    "{\"event\":\"test_message\",\"version\":1,\"timestamp\":473385600,\"data\":{}}"}}}]}}
END
