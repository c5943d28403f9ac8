// What strangers put into events and answers is text, whatever it looks like.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { start } from "./support/broker.mjs";
import { launch, open } from "./support/browser.mjs";
import { eventually } from "./support/eventually.mjs";
import { receiver } from "./support/receiver.mjs";

const MARKUP = `<img src=x onerror="window.owned=1"><script>window.owned=1</script><svg onload=window.owned=1>`;
const TEMPLATE = "${window.owned=1}{{constructor.constructor('window.owned=1')()}}";
const TURNED = "safe\u202egnp.exe\u2066\u200b";
const CONFIG = `
[policy.strict]
schedule = ["1s"]
give_up_after = 1

[[source]]
name = "raw"
kind = "raw"
`;

let browser, broker, hook, context, page, check;

before(async () => {
  browser = await launch();
  hook = await receiver(() => [500, `${MARKUP}${TEMPLATE}`]);
  broker = await start({ config: CONFIG });
  await broker.endpoint("crm", hook.url, { policy: "strict" });
  ({ context, page, check } = await open(browser, broker.address));
});

after(async () => {
  await context.close();
  await Promise.all([browser.close(), broker.stop(), hook.close()]);
});

const raw = (body, headers = {}) =>
  fetch(`${broker.address}/in/raw`, { method: "POST", body, headers }).then((answer) => answer.json());

const visit = async (fragment) => {
  await page.goto(`${broker.address}/${fragment}`);
  await page.locator("#main h1").waitFor();
  await page.locator("#main:not([aria-busy])").waitFor();
};

test("markup and templates in events, subjects and answers stay text on every page", async () => {
  const event = await broker.event("order.paid", { note: MARKUP, [TEMPLATE]: TURNED }, { subject: `${MARKUP}${TURNED}` });
  const dead = await broker.delivery(event, "dead");
  for (const fragment of [
    "#/",
    "#/events",
    "#/dead",
    "#/endpoints/crm",
    `#/events/${event.id}`,
    `#/events/${event.id}?as=raw`,
    `#/deliveries/${dead.id}`,
    `#/events?type=${encodeURIComponent(MARKUP)}`,
    `#/dead?endpoint=${encodeURIComponent(MARKUP)}`,
    `#/endpoints/${encodeURIComponent(MARKUP)}`,
    `#/${encodeURIComponent(MARKUP)}`,
    "#/endpoints/%E0%A4%A",
  ]) {
    await visit(fragment);
    assert.equal(await page.evaluate(() => window.owned), undefined, fragment);
    assert.equal(await page.locator("#main img, #main script").count(), 0, fragment);
  }
  await visit(`#/events/${event.id}`);
  await page.locator("pre.body", { hasText: '<img src=x onerror=' }).waitFor();
  check(/status of 4\d\d/);
});

test("the longest names, addresses, types and subjects fit a phone", async () => {
  const name = "W".repeat(64);
  const type = `${"very.".repeat(38)}long`;
  const url = `${hook.url}/${"tenant".repeat(40)}?key=${"k".repeat(200)}`;
  const made = await broker.endpoint(name, url, { policy: "strict", events: [type] });
  const event = await broker.event(type, {}, { subject: "S".repeat(200) });
  const ended = await eventually("it is dead", async () => {
    const { data } = await broker.get(`/v1/events/${event.id}/deliveries`);
    return data.find(({ endpoint, status }) => endpoint === name && status === "dead");
  });
  await page.setViewportSize({ width: 360, height: 740 });
  for (const fragment of ["#/", "#/events", "#/dead", "#/deliveries", `#/endpoints/${made.id}`, `#/events/${event.id}`, `#/deliveries/${ended.id}`]) {
    await page.goto("about:blank");
    await visit(fragment);
    await page.locator("#main", { hasText: /W{20}|S{20}|very\.very/ }).waitFor();
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= 360, `${fragment} is ${wide} pixels wide`);
  }
  await page.setViewportSize({ width: 1280, height: 800 });
});

test("characters that turn or hide text are made visible", async () => {
  const event = await broker.event("order.paid", { file: TURNED }, { subject: TURNED });
  await visit(`#/events/${event.id}`);
  const text = await page.locator("#main").innerText();
  assert.ok(text.includes("safe⟨U+202E⟩gnp.exe⟨U+2066⟩⟨U+200B⟩"), text);
  assert.doesNotMatch(text, /[\u202a-\u202e\u2066-\u2069\u200b]/);
});

test("nobody but the template library can make markup of a text", async () => {
  await visit("#/");
  const thrown = await page.evaluate(() => {
    try {
      document.body.insertAdjacentHTML("beforeend", "<b>text</b>");
      return "";
    } catch (error) {
      return error.name;
    }
  });
  assert.equal(thrown, "TypeError");
  check = () => {};
});

test("a body of a mebibyte, deeply nested or not, is shown at its beginning", async () => {
  const lines = JSON.stringify({ lines: Array.from({ length: 20_000 }, (_, i) => `${i} ${"x".repeat(36)}`) });
  const nested = "[".repeat(500_000) + "]".repeat(500_000);
  for (const body of [lines, nested, "é".repeat(500_000), "<b>".repeat(340_000)]) {
    const event = await raw(body, { "content-type": "application/json" });
    await visit(`#/events/${event.id}`);
    await page.getByText("This is its beginning").waitFor();
    for (const as of ["json", "raw", "hex"]) {
      await visit(`#/events/${event.id}?as=${as}`);
      const shown = await page.locator("pre.body").evaluate((body) => body.textContent.length);
      assert.ok(shown > 10_000 && shown < 200_000, `${as}: ${shown}`);
    }
  }
  assert.equal(await page.evaluate(() => window.owned), undefined);
});

test("bytes that are no text are shown as bytes, and downloaded as they came", async () => {
  const bytes = Uint8Array.from({ length: 600 }, (_, i) => i % 256);
  const event = await raw(bytes, { "content-type": "image/png" });
  await visit(`#/events/${event.id}`);
  await page.getByText("00000040  40 41 42 43 44 45 46 47  48 49 4a 4b 4c 4d 4e 4f  @ABCDEFGHIJKLMNO").waitFor();
  const answer = await fetch(`${broker.address}/v1/events/${event.id}/body`);
  assert.deepEqual(new Uint8Array(await answer.arrayBuffer()), bytes);
  assert.equal(answer.headers.get("content-type"), "application/octet-stream");
  assert.match(answer.headers.get("content-disposition"), /^attachment/);
  assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Download" }).click()]);
  assert.equal(download.suggestedFilename(), event.id);
});

test("numbers that no script can hold are shown as they were sent", async () => {
  const event = await raw('{"id": 12345678901234567890.10, "a": [], "b": {}, "c": "\\u00e9, {\\"x\\": [1]}"}', { "content-type": "application/json" });
  await visit(`#/events/${event.id}`);
  const shown = await eventually("it is laid out", () => page.locator("pre.body").innerText());
  assert.equal(shown, '{\n  "id": 12345678901234567890.10,\n  "a": [],\n  "b": {},\n  "c": "\\u00e9, {\\"x\\": [1]}"\n}');
});
