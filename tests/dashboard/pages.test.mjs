// Every page, as it looks: nothing from elsewhere, nothing against the policy, readable for all.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { start } from "./support/broker.mjs";
import { launch, open } from "./support/browser.mjs";
import { scene } from "./support/scene.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };

let browser, place, pages;

before(async () => {
  [browser, place] = await Promise.all([launch(), scene()]);
  const { broker } = place;
  const [dead] = (await broker.get("/v1/deliveries?status=dead&limit=1")).data;
  const [waiting] = (await broker.get("/v1/deliveries?endpoint=crm&status=waiting")).data;
  pages = {
    overview: "#/",
    endpoint: "#/endpoints/crm",
    "paused endpoint": "#/endpoints/legacy-erp",
    delivery: `#/deliveries/${waiting.id}`,
    event: `#/events/${dead.event_id}`,
    hex: `#/events/${dead.event_id}?as=hex`,
    events: "#/events",
    dead: "#/dead",
    sources: "#/sources",
    websites: "#/websites",
    nowhere: "#/no/such/page",
    unknown: "#/endpoints/nobody",
  };
});

after(() => Promise.all([browser.close(), place.close()]));

/** Opens each page in turn, in one context. */
async function each(options, look) {
  const { address } = place.broker;
  const { context, page, check } = await open(browser, address, options);
  await page.goto(address);
  for (const [name, fragment] of Object.entries(pages)) {
    await page.goto(`${address}/${fragment}`);
    await page.locator("#main h1").waitFor();
    await page.locator("#main:not([aria-busy])").waitFor();
    await look(page, name);
  }
  // A page of what is not there is told so by its status.
  check(/status of 404/);
  await context.close();
}

/** What axe finds that keeps somebody out. */
async function violations(page) {
  // The page's own policy forbids to add a script, so it comes by the debugger.
  const client = await page.context().newCDPSession(page);
  await client.send("Runtime.evaluate", { expression: AXE });
  const { result } = await client.send("Runtime.evaluate", {
    expression: `axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => JSON.stringify(violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => [id, nodes.slice(0, 3).map(({ html, failureSummary }) => html + failureSummary)])))`,
    awaitPromise: true,
    returnByValue: true,
  });
  await client.detach();
  return JSON.parse(result.value);
}

for (const colorScheme of ["light", "dark"]) {
  test(`every page keeps to its origin and its policy, and axe finds nothing serious, in ${colorScheme}`, async () => {
    await each({ colorScheme }, async (page, name) => {
      assert.deepEqual(await violations(page), [], name);
    });
  });
}

test("at 360 pixels no page scrolls sideways", async () => {
  await each(PHONE, async (page, name) => {
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= 360, `${name} is ${wide} pixels wide`);
  });
});

test("a page says in its title and its heading where one is", async () => {
  const titles = new Set();
  await each({}, async (page) => titles.add(await page.title()));
  assert.ok(titles.size >= 8, [...titles].join());
});

test("the back button goes to the page before, as it was", async () => {
  const { address } = place.broker;
  const { context, page, check } = await open(browser, address);
  await page.goto(address);
  await page.getByRole("link", { name: /^Failing/ }).click();
  await page.locator("tbody").getByRole("link", { name: "crm" }).first().click();
  await page.locator("h1", { hasText: "crm" }).waitFor();
  await page.goBack();
  await page.locator("h1", { hasText: "Overview" }).waitFor();
  assert.match(page.url(), /health=failing/);
  assert.equal(await page.locator("tbody tr").count(), 2);
  check();
  await context.close();
});

test("what is known of a time that began before the start is told as being since the start", async () => {
  const { address } = place.broker;
  const { context, page, check } = await open(browser, address);
  await page.goto(address);
  const tile = page.locator(".tile", { hasText: "Events in the log" });
  await tile.getByText(/ since the start, 45 min ago$/).waitFor();
  check();
  await context.close();
});

test("why an endpoint fails is told in the reader's time zone", async () => {
  const { address } = place.broker;
  const { context, page, check } = await open(browser, address, { timezoneId: "Asia/Kathmandu" });
  await page.goto(`${address}/#/endpoints/crm`);
  const why = page.locator(".why", { hasText: "Why it fails" });
  const moment = why.locator("time").first();
  await moment.waitFor();
  const shown = await moment.textContent();
  const utc = Date.parse(await moment.getAttribute("datetime"));
  assert.equal(Date.parse(`${shown.replace(" ", "T")}+05:45`), Math.floor(utc / 1000) * 1000);
  assert.doesNotMatch(await why.textContent(), /\dT\d\d:.*Z/);
  check();
  await context.close();
});

test("a disk that is nearly full and a store that has stopped come before all else", async () => {
  const { address } = place.broker;
  const { context, page, check } = await open(browser, address);
  await page.route("**/v1/status", async (route) => {
    const response = await route.fetch();
    const status = await response.json();
    Object.assign(status.store, { used_bytes: 5e9, free_bytes: 90e6, reserve_bytes: 67108864, stopped: "EIO" });
    await route.fulfill({ response, json: status });
  });
  await page.goto(address);
  const items = page.locator(".attention li");
  await items.first().getByText("The store has stopped: EIO.").waitFor();
  await items.nth(1).getByText("The disk has 86 MiB left. Below 64 MiB no event is taken (507).").waitFor();
  await page.getByText("4.7 GiB").waitFor();
  check();
  await context.close();
});

test("light and dark can be chosen, and stay chosen", async () => {
  const { address } = place.broker;
  const { context, page, check } = await open(browser, address, { colorScheme: "light" });
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await page.goto(address);
  await page.locator("#main h1").waitFor();
  const light = await ground();
  await page.getByRole("button", { name: "Light or dark" }).click();
  const dark = await ground();
  assert.notEqual(dark, light);
  await page.reload();
  await page.locator("#main h1").waitFor();
  assert.equal(await ground(), dark);
  check();
  await context.close();
});

test("where nothing is yet, each page says what to do, with the command", async () => {
  const broker = await start();
  const { context, page, check } = await open(browser, broker.address);
  for (const [fragment, command] of [
    ["#/", "redeliver endpoint add"],
    ["#/events", "redeliver event send"],
    ["#/dead", "nothing was given up"],
    ["#/sources", "[[source]]"],
    ["#/websites", "[[website]]"],
  ]) {
    await page.goto(`${broker.address}/${fragment}`);
    await page.locator(".empty", { hasText: command }).first().waitFor();
  }
  check();
  await context.close();
  await broker.stop();
});

test("every file is served with its policy, and a second visit asks for none again", async () => {
  const { address } = place.broker;
  const index = await fetch(address);
  assert.match(index.headers.get("content-security-policy"), /default-src 'none'.*frame-ancestors 'none'.*require-trusted-types-for 'script'/);
  assert.equal(index.headers.get("x-content-type-options"), "nosniff");
  assert.equal(index.headers.get("x-frame-options"), "DENY");
  assert.equal(index.headers.get("referrer-policy"), "no-referrer");
  const tag = index.headers.get("etag");
  const again = await fetch(address, { headers: { "if-none-match": tag } });
  assert.equal(again.status, 304);
  const files = [...(await index.text()).matchAll(/(?:src|href)="(dashboard\/[^"]+)"/g)].map(([, file]) => file);
  assert.ok(files.length > 20, files.join());
  for (const file of files) {
    const asset = await fetch(`${address}/${file}`);
    assert.equal(asset.status, 200, file);
    assert.match(asset.headers.get("cache-control"), /immutable/);
    assert.ok(asset.headers.get("etag"));
  }
  const older = await fetch(`${address}/dashboard/0123456789abcdef/main.js`);
  assert.equal(older.status, 404);
});
