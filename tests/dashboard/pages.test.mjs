// Every page, as it looks: nothing from elsewhere, nothing against the policy, readable for all.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { start } from "./support/broker.mjs";
import { launch, open } from "./support/browser.mjs";
import { eventually } from "./support/eventually.mjs";
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
    deliveries: "#/deliveries?status=waiting",
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

test("on a phone each row shows its state and its figures without being scrolled sideways", async () => {
  const { address } = place.broker;
  const { context, page, check } = await open(browser, address, PHONE);
  for (const [fragment, words] of [
    ["#/", ["failing", "Backlog", "Next attempt", "503"]],
    ["#/endpoints/crm", ["pending", "page_view", "Attempts"]],
    ["#/dead", ["billing", "422", "Retry now"]],
    ["#/events", ["page_view", "Received"]],
  ]) {
    await page.goto("about:blank");
    await page.goto(`${address}/${fragment}`);
    await page.locator("tbody tr").first().waitFor();
    const { wide, text, roles } = await page.evaluate(() => ({
      wide: Math.max(...[...document.querySelectorAll("tbody tr > *")].map((cell) => cell.getBoundingClientRect().right)),
      text: [...document.querySelectorAll("tbody td, tbody th")]
        .map((cell) => getComputedStyle(cell, "::before").content + cell.innerText).join(" "),
      roles: document.querySelectorAll("tbody [role=rowheader]").length > 0,
    }));
    assert.ok(wide <= 360, `${fragment} reaches to ${wide}`);
    assert.ok(roles);
    for (const word of words) assert.ok(text.includes(word), `${fragment}: ${word} in ${text.slice(0, 400)}`);
  }
  check();
  await context.close();
});

test("by Tab alone each control is reached, is seen to have the focus, and is not below the bar", async () => {
  await each({ viewport: { width: 1000, height: 600 } }, async (page, name) => {
    const all = await page.evaluate(() => {
      document.querySelector(".skip").focus();
      const shown = [...document.querySelectorAll("a[href], button, input, select, summary, [tabindex='0']")];
      return shown.filter((one) => !one.disabled && one.checkVisibility()).length;
    });
    const seen = new Set();
    for (let i = 1; i < Math.min(all, 60); i += 1) {
      await page.keyboard.press("Tab");
      const { number, label, outline, covered } = await page.evaluate(() => {
        const at = document.activeElement;
        window.numbers ??= new Map();
        if (!window.numbers.has(at)) window.numbers.set(at, window.numbers.size);
        const { left, top, width, height } = at.getBoundingClientRect();
        const over = document.elementFromPoint(left + width / 2, Math.min(top + height / 2, innerHeight - 1));
        return {
          number: window.numbers.get(at),
          label: `${at.tagName} ${at.getAttribute("aria-label") ?? at.textContent.trim().slice(0, 40)}`,
          outline: getComputedStyle(at).outlineStyle,
          covered: Boolean(over?.closest("#bar")) && !at.closest("#bar"),
        };
      });
      if (label.startsWith("BODY")) break;
      seen.add(number);
      assert.notEqual(outline, "none", `${name}: the focus on ${label} cannot be seen`);
      assert.ok(!covered, `${name}: ${label} is below the bar`);
    }
    assert.ok(seen.size >= Math.min(all, 60) - 1, `${name}: ${seen.size} of ${all}`);
  });
});

test("fields and plots stand out from what they lie on by three to one", async () => {
  const { address } = place.broker;
  for (const colorScheme of ["light", "dark"]) {
    const { context, page, check } = await open(browser, address, { colorScheme });
    await page.goto(address);
    await page.locator("rect.good").first().waitFor();
    const ratios = await page.evaluate(() => {
      const luminance = (colour) => {
        const [r, g, b] = colour.match(/[\d.]+/g).map((part) => {
          const share = part / 255;
          return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const contrast = (one, other) => {
        const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
        return (light + 0.05) / (dark + 0.05);
      };
      const of = (selector, property) => getComputedStyle(document.querySelector(selector))[property];
      const ground = of(".plot", "backgroundColor");
      return {
        field: contrast(of("input[type=search]", "borderTopColor"), ground),
        delivered: contrast(of("rect.good", "fill"), ground),
        failed: contrast(of("rect.bad", "fill"), ground),
        ingested: contrast(of("polyline.line", "stroke"), ground),
      };
    });
    for (const [what, ratio] of Object.entries(ratios)) assert.ok(ratio >= 3, `${colorScheme}: ${what} ${ratio}`);
    check();
    await context.close();
  }
});

test("an id in a text leads to what it names, also where only an id is known", async () => {
  const { broker } = place;
  const [behind] = (await broker.get("/v1/deliveries?endpoint=crm&status=pending&limit=1")).data;
  const { context, page, check } = await open(browser, broker.address);
  await page.goto(`${broker.address}/#/deliveries/${behind.id}`);
  await page.locator(".why a", { hasText: /^dlv_/ }).click();
  await page.locator(".badge", { hasText: "waiting to retry" }).waitFor();
  const removed = await broker.endpoint("once-there", place.well.url, { check: "off", events: ["once.*"] });
  await broker.delivery(await broker.event("once.there"), "delivered");
  await broker.call("DELETE", "/v1/endpoints/once-there");
  await page.goto(`${broker.address}/#/endpoints/once-there`);
  await page.locator(".problem a", { hasText: removed.id }).click();
  await page.locator(".problem", { hasText: "Removed" }).waitFor();
  assert.equal(await page.getByRole("button", { name: /Pause|Send|Retry|Replay/ }).count(), 0, "nothing is offered that would be refused");
  check(/status of 404/);
  await context.close();
});

test("an event is found by its subject, and what is known by its id at once", async () => {
  const { broker } = place;
  const [{ subject }] = (await broker.get("/v1/events?type=order.paid&limit=1")).data;
  const [dead] = (await broker.get("/v1/deliveries?status=dead&limit=1")).data;
  const { context, page, check } = await open(browser, broker.address);
  await page.goto(`${broker.address}/#/events`);
  await page.getByLabel("Subject").fill(subject);
  await page.keyboard.press("Enter");
  await page.getByRole("link", { name: "Follow live" }).waitFor();
  const subjects = await page.locator("tbody td[data-column=Subject]").allInnerTexts();
  assert.ok(subjects.length > 0 && subjects.every((shown) => shown === subject), subjects.join());
  await page.getByLabel("Subject").fill(dead.id);
  await page.keyboard.press("Enter");
  await page.locator("h1", { hasText: `Delivery of #${dead.seq}` }).waitFor();
  check();
  await context.close();
});

test("what waits for any endpoint is one step from the overview, and narrowed by endpoint and state", async () => {
  const { address } = place.broker;
  const { context, page, check } = await open(browser, address);
  await page.goto(address);
  await page.locator(".tile", { hasText: "Backlog" }).getByRole("link").click();
  await page.locator("h1", { hasText: "Deliveries" }).waitFor();
  const column = (name) => page.locator(`tbody td[data-column="${name}"]`).allInnerTexts();
  assert.deepEqual([...new Set(await column("Status"))], ["waiting to retry"]);
  await page.getByRole("link", { name: "Dead letters", exact: true }).last().click();
  await page.locator("tbody .badge.dead").first().waitFor();
  await page.getByLabel("Endpoint").fill("billing");
  await page.keyboard.press("Enter");
  await page.waitForURL(/status=dead&endpoint=billing$/);
  await eventually("it is narrowed", async () => [...new Set(await column("Endpoint"))].join() === "billing");
  check();
  await context.close();
});

test("the clock says in which time zone it shows", async () => {
  const { address } = place.broker;
  for (const [timezoneId, zone] of [["UTC", "UTC"], ["Asia/Kathmandu", "UTC+5:45"], ["America/Phoenix", "UTC−7"]]) {
    const { context, page, check } = await open(browser, address, { timezoneId });
    await page.goto(address);
    await page.locator(".clock .zone").getByText(zone, { exact: true }).waitFor();
    check();
    await context.close();
  }
});

test("what is under way is seen by everybody, with its progress, and can be stopped", async () => {
  const { broker } = place;
  const { context, page, check } = await open(browser, broker.address);
  // A real one would be over before anybody has looked.
  let state = "running";
  const request = { kind: "replay", endpoint: "billing", status: "dead", dry_run: false };
  const task = { id: "tsk_01", kind: "replay", state, matched: 1284, done: 412, total: 1284, progress: 0.32, dry_run: false, request, created_at: new Date().toISOString(), ended_at: null, error: null };
  await page.route("**/v1/tasks?*", (route) => route.fulfill({ json: { data: state === "running" ? [task] : [], next: null } }));
  await page.route("**/v1/tasks/tsk_01/cancel", (route) => {
    state = "cancelled";
    return route.fulfill({ json: { ...task, state } });
  });
  await page.goto(`${broker.address}/#/dead`);
  await page.locator(".underway", { hasText: "Putting back 412 of 1,284 dead letters of billing" }).waitFor();
  assert.equal(await page.locator(".underway progress").evaluate((bar) => bar.value), 0.32);
  await page.goto(`${broker.address}/#/`);
  await page.getByRole("button", { name: /^Stop/ }).click();
  await page.getByText("what was done stays done").waitFor();
  await page.locator(".underway").waitFor({ state: "detached" });
  check();
  await context.close();
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

test("attempts whose records have expired are not called never made", async () => {
  const { broker } = place;
  const { context, page, check } = await open(browser, broker.address);
  const [dead] = (await broker.get("/v1/deliveries?status=dead&limit=1")).data;
  await page.route("**/v1/deliveries/*", async (route) => {
    const response = await route.fetch();
    const delivery = await response.json();
    await route.fulfill({ response, json: { ...delivery, attempt_count: 0, attempts: [], given_up: [] } });
  });
  await page.goto(`${broker.address}/#/deliveries/${dead.id}`);
  await page.getByText("The records of its attempts have expired.").waitFor();
  assert.equal(await page.getByText("Nothing was sent yet.").count(), 0);
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
