// The log as it grows, a server that goes and comes, and ten thousand endpoints.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { start } from "./support/broker.mjs";
import { launch, open } from "./support/browser.mjs";
import { eventually } from "./support/eventually.mjs";
import { receiver } from "./support/receiver.mjs";

let browser;

before(async () => (browser = await launch()));
after(() => browser.close());

async function opened(t, fragment, options) {
  const broker = await start(options);
  const { context, page, check } = await open(browser, broker.address);
  await page.goto(`${broker.address}/${fragment}`);
  await page.locator("#main h1").waitFor();
  t.after(async () => {
    await context.close();
    await broker.stop();
  });
  return { broker, page, check };
}

test("events appear as they come, with what becomes of them, and stand still on request", async (t) => {
  const { broker, page, check } = await opened(t, "#/events");
  const hook = await receiver(() => [200, ""]);
  t.after(() => hook.close());
  await broker.endpoint("crm", hook.url);
  await page.getByText("live", { exact: true }).waitFor();
  await broker.event("order.paid", {});
  const row = page.locator("tbody tr", { hasText: "order.paid" });
  await row.getByText("delivered").waitFor();
  await row.getByText("crm").waitFor();
  await page.keyboard.press("p");
  await page.getByText("paused", { exact: true }).waitFor();
  for (let i = 0; i < 3; i += 1) await broker.event("order.shipped", {});
  await page.getByText("3 new").waitFor();
  assert.equal(await page.locator("tbody tr").count(), 1);
  await page.getByRole("button", { name: "Resume" }).click();
  await eventually("they are there", async () => (await page.locator("tbody tr").count()) === 4);
  check();
});

test("of many deliveries of an event a row shows a few, and first what did not arrive", async (t) => {
  const { broker, page, check } = await opened(t, "#/events");
  const hook = await receiver(() => [200, ""]);
  const away = await receiver(() => [503, ""]);
  t.after(() => Promise.all([hook.close(), away.close()]));
  await broker.endpoint("away", away.url);
  for (let i = 0; i < 30; i += 1) await broker.endpoint(`well-${i}`, hook.url);
  await page.getByText("live", { exact: true }).waitFor();
  await broker.event("order.paid", {});
  const row = page.locator("tbody tr", { hasText: "order.paid" });
  await row.getByRole("link", { name: "and more" }).waitFor();
  await row.getByText("waiting to retry 503").waitFor();
  const shown = await row.locator(".outcome").allInnerTexts();
  assert.equal(shown.length, 3);
  assert.match(shown[0], /^away waiting to retry/);
  check();
});

test("a type narrows what comes, and the list keeps to its bound", async (t) => {
  const { broker, page, check } = await opened(t, "#/events?type=order.*");
  await page.getByText("live", { exact: true }).waitFor();
  const all = Array.from({ length: 400 }, (_, i) => broker.event(i % 2 ? `order.n${i}` : "page_view", {}));
  await Promise.all(all);
  await broker.event("order.last", {});
  await page.getByText("order.last").waitFor();
  const rows = await page.locator("tbody tr").count();
  assert.ok(rows <= 200 && rows > 100, String(rows));
  assert.equal(await page.getByText("page_view").count(), 0);
  await page.locator("tbody tr th a").first().click();
  await page.locator("h1", { hasText: "order.last" }).waitFor();
  await page.goBack();
  await page.getByText("order.last").waitFor();
  check();
});

test("a server that goes away is told so, and one that is back is shown again, live too", async (t) => {
  const { broker, page, check } = await opened(t, "#/events");
  await page.getByText("live", { exact: true }).waitFor();
  await broker.event("before", {});
  await page.getByText("before", { exact: true }).waitFor();
  const { port } = new URL(broker.address);
  await broker.stop({ keep: true });
  await page.getByText("The server has not answered since").waitFor();
  // Also for who has scrolled down on a phone.
  await page.setViewportSize({ width: 360, height: 300 });
  await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
  const { top, bottom } = await page.locator(".lost").evaluate((told) => told.getBoundingClientRect());
  assert.ok(top >= 0 && bottom <= 300, `${top} to ${bottom}`);
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.getByText("before", { exact: true }).waitFor();
  const again = await start({ dir: broker.home, port });
  t.after(() => again.stop());
  await page.getByText("The server has not answered since").waitFor({ state: "detached" });
  await page.getByText("live", { exact: true }).waitFor();
  await again.event("after", {});
  await page.getByText("after", { exact: true }).waitFor();
  check(/ERR_CONNECTION_(REFUSED|RESET)|ERR_EMPTY_RESPONSE|ERR_INCOMPLETE_CHUNKED/);
});

test("a mock shows what it does, too, its faults and its place below a path included", async (t) => {
  const hook = await receiver(() => [500, "no"]);
  t.after(() => hook.close());
  const broker = await start({ mock: ["server"] });
  t.after(() => broker.stop());
  await broker.call("PUT", "/mocks/shop", { vendor: "esputnik", to: hook.url, check: "off", faults: ["duplicate"] });
  await broker.post("/mocks/shop/v1/trigger", { sample: "sequence" });
  await broker.post("/mocks/shop/v1/clock/advance", { by: "1s" });
  const { context, page, check } = await open(browser, broker.address);
  t.after(() => context.close());
  await page.goto(`${broker.address}/mocks/shop/#/`);
  await page.locator(".attention li", { hasText: "tries again: 500" }).waitFor();
  await page.goto(`${broker.address}/mocks/shop/#/sources`);
  await page.getByRole("region", { name: "Faults" }).getByText("duplicate").first().waitFor();
  await page.getByRole("link", { name: "Overview" }).click();
  hook.answer = () => [200, ""];
  await page.getByRole("button", { name: "Advance" }).click();
  await page.getByText("Nothing needs you.").waitFor();
  check();
});

test("among ten thousand endpoints the one that fails is seen at once and found by name", async (t) => {
  const count = Number(process.env.REDELIVER_ENDPOINTS ?? 10_000);
  const hook = await receiver(() => [200, ""]);
  const away = await receiver(() => [503, "away"]);
  t.after(() => Promise.all([hook.close(), away.close()]));
  const entries = Array.from({ length: count - 1 }, (_, i) =>
    `[[endpoint]]\nname = "customer-${i}"\nurl = "${hook.url}"\npolicy = "standard"\nevents = ["never.${i}"]\n`);
  const stuck = `[[endpoint]]\nname = "the-stuck-one"\nurl = "${away.url}"\npolicy = "standard"\nevents = ["order.*"]\n`;
  const { broker, page, check } = await opened(t, "#/events", { config: entries.join("\n") + stuck });
  const event = await broker.event("order.paid", {});
  await broker.delivery(event, "waiting");
  const started = Date.now();
  await page.goto(`${broker.address}/#/`);
  await page.locator(".attention").getByRole("link", { name: "the-stuck-one", exact: true }).waitFor();
  const seen = Date.now() - started;
  t.diagnostic(`the overview of ${count} endpoints is there after ${seen} ms`);
  assert.ok((await page.locator("tbody tr").count()) <= 50);
  await page.getByText(`1 to 50 of ${count.toLocaleString("en")}`).waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type(`customer-${count - 2}`);
  await eventually("it is found", async () => (await page.locator("tbody tr").count()) === 1);
  assert.equal(await page.evaluate(() => document.activeElement.type), "search", "the field keeps the focus");
  await page.locator("tbody").getByRole("link", { name: `customer-${count - 2}` }).click();
  await page.locator("h1", { hasText: `customer-${count - 2}` }).waitFor();
  check();
});
