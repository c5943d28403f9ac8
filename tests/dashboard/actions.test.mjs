// What an operator does, from the click to the receiver.
import assert from "node:assert/strict";
import { after, before, beforeEach, afterEach, test } from "node:test";
import { start } from "./support/broker.mjs";
import { launch, open } from "./support/browser.mjs";
import { eventually } from "./support/eventually.mjs";
import { receiver } from "./support/receiver.mjs";

const POLICY = `[policy.strict]\nschedule = ["1m"]\ngive_up_after = 2\n[policy.queue]\norder = "in-order"\nschedule = ["1h"]\n`;

let browser, broker, hook, context, page, check;

before(async () => (browser = await launch()));
after(() => browser.close());

beforeEach(async () => {
  hook = await receiver(() => [200, "thank you"]);
  broker = await start({ config: POLICY, args: ["--clock", "manual"] });
  await broker.endpoint("crm", hook.url, { policy: "strict" });
  ({ context, page, check } = await open(browser, broker.address));
});

afterEach(async () => {
  check();
  await context.close();
  await Promise.all([broker.stop(), hook.close()]);
});

const visit = async (fragment) => {
  await page.goto(`${broker.address}/${fragment}`);
  await page.locator("#main h1").waitFor();
};
const button = (name, place = page) => place.getByRole("button", { name, exact: true });
const dialog = () => page.getByRole("dialog");
const state = async () => (await broker.get("/v1/endpoints/crm")).state;

/** So many dead letters of the endpoint. */
async function dead(count) {
  hook.answer = () => [500, "out of order"];
  for (let i = 0; i < count; i += 1) await broker.event(i % 2 ? "order.paid" : "order.shipped", { i });
  await broker.advance("1s");
  await broker.advance("2m");
  await eventually("they are dead", async () => (await broker.get("/v1/endpoints/crm")).dead === count);
  hook.answer = () => [200, ""];
  hook.got.length = 0;
}

test("pause and resume are what the API then says", async () => {
  await visit("#/endpoints/crm");
  await button("Pause").click();
  await button("Pause", dialog()).click();
  await button("Resume").waitFor();
  assert.equal(await state(), "paused");
  await visit("#/");
  await page.getByRole("button", { name: "Resume: crm" }).click();
  await page.getByText("crm is resumed").waitFor();
  assert.equal(await state(), "active");
});

test("a pause that is cancelled is none", async () => {
  await visit("#/endpoints/crm");
  await button("Pause").click();
  await button("Cancel", dialog()).click();
  await button("Pause").click();
  await page.keyboard.press("Escape");
  assert.equal(await state(), "active");
});

test("a question goes with the page that asked it, and a filter of the page leaves it open", async () => {
  await visit("#/endpoints/crm");
  await button("Pause").click();
  await page.evaluate(() => (location.hash = "#/endpoints/crm?status=dead"));
  await page.getByRole("link", { name: "Dead letters" }).first().waitFor();
  assert.equal(await dialog().count(), 1);
  await page.evaluate(() => (location.hash = "#/sources"));
  await page.locator("h1", { hasText: "Sources" }).waitFor();
  assert.equal(await dialog().count(), 0);
  assert.equal(await state(), "active");
});

test("a test message shows what came back, good or bad", async () => {
  await visit("#/endpoints/crm");
  await button("Send test").click();
  await dialog().getByText("The test message arrived").waitFor();
  await dialog().getByText("thank you").waitFor();
  assert.equal(hook.got.length, 1);
  await button("Close", dialog()).click();
  hook.answer = () => [403, "<b>who are you?</b>"];
  await button("Send test").click();
  await dialog().getByText("The test message did not arrive").waitFor();
  await dialog().getByText("<b>who are you?</b>").waitFor();
});

test("a delivery says why it waits, and a retry sends it now", async () => {
  hook.answer = () => [503, "not now"];
  const event = await broker.event("order.paid", { order: 17 });
  await broker.advance("1s");
  await broker.delivery(event, "waiting");
  await visit("#/");
  await page.getByRole("link", { name: "Why: crm", exact: true }).click();
  await page.getByText("Attempt 1 of 2 failed with status 503; retry 1 leaves 1m after that failure").waitFor();
  await page.locator("pre", { hasText: "not now" }).waitFor();
  hook.answer = () => [200, ""];
  await page.getByRole("button", { name: "Retry now" }).click();
  await page.locator(".badge", { hasText: "delivered" }).waitFor();
  assert.equal(hook.got.at(-1).headers["redeliver-attempt"], "2");
});

test("a rotated key signs the next attempt, and is shown nowhere", async () => {
  await broker.call("DELETE", "/v1/endpoints/crm");
  await broker.endpoint("crm", hook.url, { policy: "hotjar", signing_key: "an-old-key" });
  await visit("#/endpoints/crm");
  await button("Rotate key …").click();
  await dialog().getByLabel("New signing key").fill("a-new-key");
  await button("Rotate", dialog()).click();
  await page.getByText("crm signs with the new key").waitFor();
  assert.ok(!(await page.content()).includes("a-new-key"));
  const signature = async () => {
    hook.got.length = 0;
    await broker.event("order.paid", {});
    await broker.advance("1s");
    await eventually("it arrives", () => hook.got.length);
    return hook.got[0];
  };
  const { createHmac } = await import("node:crypto");
  const { headers, body } = await signature();
  assert.equal(headers["com-hotjar-signature"], createHmac("sha3-256", "a-new-key").update(body).digest("hex"));
});

test("selected dead letters are put back, and no other", async () => {
  await dead(4);
  await visit("#/dead");
  const boxes = page.getByRole("checkbox", { name: /^Select #/ });
  assert.equal(await boxes.count(), 4);
  await boxes.nth(0).check();
  await boxes.nth(2).check();
  await page.getByText("2 selected").waitFor();
  await button("Put back selected").click();
  await dialog().getByText("This puts back 2 deliveries").waitFor();
  await button("Put back 2 deliveries", dialog()).click();
  await eventually("two arrive", () => hook.got.length === 2);
  assert.equal((await broker.get("/v1/endpoints/crm")).dead, 2);
});

test("a filter narrows the dead letters, and all that match go back after a count", async () => {
  await dead(7);
  await visit("#/dead");
  await page.getByLabel("Last answer").selectOption("4");
  await page.getByText("No dead letter is like that").waitFor();
  await page.getByLabel("Last answer").selectOption("5");
  await page.getByText("7 dead letters shown").waitFor();
  await page.getByLabel("Last answer").selectOption("");
  await page.getByLabel("Type").fill("order.paid");
  await page.keyboard.press("Enter");
  await page.getByText("3 dead letters shown").waitFor();
  await button("Put back all that match …").click();
  await dialog().getByText("This puts back 3 deliveries: dead letters of every endpoint, of type order.paid").waitFor();
  assert.equal(hook.got.length, 0, "a dry run sends nothing");
  await button("Put back 3 deliveries", dialog()).click();
  await dialog().getByRole("progressbar").waitFor();
  await page.getByText("Put back 3 deliveries").waitFor();
  await eventually("three arrive", () => hook.got.length === 3);
  assert.equal((await broker.get("/v1/endpoints/crm")).dead, 4);
});

test("selected dead letters are discarded after a question, stay readable, and nothing is sent", async () => {
  await dead(3);
  await visit("#/dead");
  await page.getByRole("checkbox", { name: "Select all that are shown" }).check();
  await page.getByRole("checkbox", { name: "Select #2 to crm" }).uncheck();
  await button("Discard selected").click();
  await dialog().getByText("This discards 2 deliveries. They are not attempted any more, and leave this list.").waitFor();
  await button("Cancel", dialog()).click();
  assert.equal((await broker.get("/v1/endpoints/crm")).dead, 3, "a question that is answered no does nothing");
  await button("Discard selected").click();
  await button("Discard 2 deliveries", dialog()).click();
  await page.locator("#notices").getByText("Discarded 2 deliveries").waitFor();
  await button("Close", dialog()).click();
  await page.getByText("1 dead letter shown").waitFor();
  assert.equal((await broker.get("/v1/endpoints/crm")).removed, 2);
  assert.equal(hook.got.length, 0);
  const { data } = await broker.get("/v1/deliveries?status=removed");
  await visit(`#/deliveries/${data[0].id}`);
  await page.getByText("discarded by an operator; a retry or a replay sends it again").waitFor();
  await page.getByRole("button", { name: "Retry now" }).click();
  await broker.advance("1s");
  await eventually("it arrives", () => hook.got.length === 1);
});

test("all dead letters that match are discarded after a count", async () => {
  await dead(5);
  await visit("#/dead?type=order.paid");
  await page.getByText("2 dead letters shown").waitFor();
  await button("Discard all that match …").click();
  await dialog().getByText("This discards 2 deliveries: dead letters of every endpoint, of type order.paid").waitFor();
  assert.equal((await broker.get("/v1/endpoints/crm")).dead, 5, "a dry run discards nothing");
  await button("Discard 2 deliveries", dialog()).click();
  await page.getByText("Discarded 2 deliveries").waitFor();
  assert.equal((await broker.get("/v1/endpoints/crm")).dead, 3);
  assert.equal(hook.got.length, 0);
  const { data } = await broker.get("/v1/deliveries?status=removed");
  assert.match(data[0].last_error, /discarded by tsk_/);
});

test("an endpoint's replay counts first and sends again what arrived", async () => {
  for (let i = 0; i < 3; i += 1) await broker.event("order.paid", { i });
  await broker.advance("1s");
  await eventually("they arrive", () => hook.got.length === 3);
  await visit("#/endpoints/crm");
  await button("Replay …").click();
  await dialog().getByLabel("All, those that arrived too").check();
  await button("Count them", dialog()).click();
  await button("Put back 3 deliveries", dialog()).click();
  await eventually("they arrive again", () => hook.got.length === 6);
});

test("the manual clock is moved, and what was due has happened", async () => {
  hook.answer = () => [503, ""];
  const event = await broker.event("order.paid", {});
  await broker.advance("1s");
  await broker.delivery(event, "waiting");
  hook.answer = () => [200, ""];
  await visit("#/");
  await page.getByLabel("Advance by").fill("1h");
  await button("Advance").click();
  await page.getByText("all that was due by then has happened").waitFor();
  await broker.delivery(event, "delivered");
  hook.answer = () => [503, ""];
  const other = await broker.event("order.paid", {});
  await broker.advance("1s");
  await broker.delivery(other, "waiting");
  hook.answer = () => [200, ""];
  await button("To the next attempt").click();
  await broker.delivery(other, "delivered");
  hook.answer = () => null;
  const hanging = await broker.event("order.paid", {});
  await broker.delivery(hanging, "in_flight");
  await page.getByLabel("Advance by").fill("1s");
  await button("Advance").click();
  await page.getByText("not ended yet: 1 attempt").waitFor();
  await page.getByLabel("Advance by").fill("soon");
  await button("Advance").click();
  await page.locator("#notices .failed").waitFor();
  check(/status of 422/);
  check = () => {};
});

test("the main job is done by the keyboard alone", async () => {
  await dead(1);
  const press = async (...keys) => {
    for (const key of keys) await page.keyboard.press(key);
  };
  /** Tab by tab to what has this name, and it must be seen to have the focus. */
  const reach = async (name) => {
    for (let i = 0; i < 60; i += 1) {
      await press("Tab");
      const [label, seen] = await page.evaluate(() => {
        const { activeElement: at } = document;
        const style = getComputedStyle(at);
        return [at.getAttribute("aria-label") ?? at.textContent.trim(), style.outlineStyle !== "none"];
      });
      if (!label.startsWith(name)) continue;
      assert.ok(seen, `the focus on ${name} cannot be seen`);
      return;
    }
    assert.fail(`${name} cannot be reached`);
  };
  await visit("#/");
  await press("?");
  await dialog().getByText("This list").waitFor();
  await press("Escape");
  await reach("Look and replay");
  await press("Enter");
  await page.locator("h1", { hasText: "Dead letters" }).waitFor();
  await eventually("the heading has the focus", () => page.evaluate(() => document.activeElement.tagName === "H1"));
  await reach("Select #1");
  await press("Space");
  await page.getByText("1 selected").waitFor();
  await press("Shift+Tab", "Shift+Tab", "Shift+Tab", "Shift+Tab", "Shift+Tab", "Shift+Tab");
  await reach("Put back selected");
  await press("Enter");
  await dialog().getByText("This puts back 1 delivery").waitFor();
  await press("Enter");
  await eventually("it arrives", () => hook.got.length === 1);
  await press("Escape", "g", "o");
  await page.locator("h1", { hasText: "Overview" }).waitFor();
});

test("a row that its retry removes hands the focus to the next one, and the last to the heading", async () => {
  await dead(2);
  await visit("#/dead");
  const focused = () => page.evaluate(() => document.activeElement.getAttribute("aria-label") ?? document.activeElement.tagName);
  await page.getByRole("button", { name: "Retry now: #2 to crm" }).focus();
  await page.keyboard.press("Enter");
  await eventually("the next row has it", async () => (await focused()) === "Retry now: #1 to crm");
  await page.keyboard.press("Enter");
  await page.getByText("nothing was given up").waitFor();
  assert.equal(await focused(), "H1");
  await dead(1);
  await page.getByLabel("Select #3").check();
  await button("Put back selected").focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter");
  await page.getByText("nothing was given up").waitFor();
  await page.keyboard.press("Escape");
  await eventually("the heading has it", async () => (await focused()) === "H1");
});

test("an answer that the policy refuses is no success, though it begins with a 2", async () => {
  hook.answer = () => [204, ""];
  await broker.endpoint("vendor", hook.url, { policy: "esputnik", check: "off", events: ["vendor.*"] });
  const event = await broker.event("vendor.a", {});
  await broker.advance("1s");
  const waiting = (await broker.get(`/v1/events/${event.id}/deliveries`)).data.find(({ endpoint }) => endpoint === "vendor");
  assert.equal(waiting.status, "waiting");
  for (const fragment of ["#/", "#/endpoints/vendor", `#/deliveries/${waiting.id}`]) {
    await visit(fragment);
    await page.locator("#main .code.bad", { hasText: "204" }).first().waitFor();
    assert.equal(await page.locator("#main .code.good", { hasText: "204" }).count(), 0, fragment);
  }
  await visit("#/endpoints/vendor");
  await button("Send test").click();
  await dialog().locator(".code.bad", { hasText: "204" }).waitFor();
});

test("of several that wait the overview retries all, of one this one", async () => {
  hook.answer = () => [503, ""];
  for (let i = 0; i < 3; i += 1) await broker.event("order.paid", { i });
  // Of these two, crm has one each, too.
  await broker.endpoint("queue", hook.url, { policy: "queue", events: ["queue.*"] });
  for (let i = 0; i < 2; i += 1) await broker.event("queue.a", { i });
  await broker.advance("1s");
  hook.answer = () => [200, ""];
  const endpoint = (name) => broker.get(`/v1/endpoints/${name}`);
  await visit("#/");
  await button("Retry all …: crm").click();
  await button("Retry all", dialog()).click();
  await page.getByText("5 deliveries are due now").waitFor();
  await button("Retry now: queue").click();
  await broker.advance("1s");
  await eventually("all arrive", async () => (await endpoint("crm")).delivered === 5 && (await endpoint("queue")).delivered === 2);
});

test("the skip link goes past the bar", async () => {
  await visit("#/");
  await page.getByRole("link", { name: "Skip to the content" }).focus();
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  await page.locator("h1", { hasText: "Overview" }).waitFor();
});

test("a head that blocks its queue is given up with a reason, and what is behind it goes on", async () => {
  hook.answer = () => [String(hook.got.at(-1).body).includes("poison") ? 500 : 200, ""];
  await broker.endpoint("queue", hook.url, { policy: "queue", events: ["queue.*"] });
  const poison = await broker.event("queue.a", "poison");
  const behind = await broker.event("queue.a", "good");
  await broker.advance("1s");
  const of = async (event) => {
    const { data } = await broker.get(`/v1/events/${event.id}/deliveries`);
    return data.find((delivery) => delivery.endpoint === "queue");
  };
  await eventually("it waits", async () => (await of(poison)).status === "waiting");
  await visit(`#/deliveries/${(await of(poison)).id}`);
  await button("Give up …").click();
  await dialog().getByLabel("Why").fill("it has no price");
  await button("Give up", dialog()).click();
  await page.getByText("an operator gave it up: it has no price").first().waitFor();
  assert.equal((await of(poison)).status, "dead");
  await broker.advance("1s");
  await eventually("the queue goes on", async () => (await of(behind)).status === "delivered");
});

test("all that waits behind an outage is retried together, after a question", async () => {
  hook.answer = () => [503, ""];
  for (let i = 0; i < 3; i += 1) await broker.event("order.paid", { i });
  await broker.advance("1s");
  const endpoint = async () => broker.get("/v1/endpoints/crm");
  await eventually("they wait", async () => hook.got.length === 3);
  hook.answer = () => [200, ""];
  await visit("#/endpoints/crm");
  await button("Retry all that waits …").click();
  await button("Retry all", dialog()).click();
  await page.getByText("3 deliveries are due now").waitFor();
  await broker.advance("1s");
  await eventually("they arrive", async () => (await endpoint()).delivered === 3);
});

test("the key of an endpoint of the file is not rotated here, with a word why", async () => {
  const config = `[[endpoint]]\nname = "filed"\nurl = "${hook.url}"\npolicy = "standard"\n`;
  const other = await start({ config });
  const there = await open(browser, other.address);
  try {
    await there.page.goto(`${other.address}/#/endpoints/filed`);
    await there.page.getByText("What the configuration file says wins").waitFor();
    await button("Send test", there.page).waitFor();
    assert.equal(await button("Rotate key …", there.page).count(), 0);
    there.check();
  } finally {
    await there.context.close();
    await other.stop();
  }
});
