// Where there is an admin token: who gets in, who does not, and what a foreign page can do.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { start } from "./support/broker.mjs";
import { launch, open } from "./support/browser.mjs";
import { receiver } from "./support/receiver.mjs";

const TOKEN = "correct-horse-battery";
const CONFIG = `[server]\nadmin_token = "env:REDELIVER_TOKEN"\n`;

let browser, broker, hook, context, page, check;

before(async () => (browser = await launch()));
after(() => browser.close());

beforeEach(async () => {
  hook = await receiver(() => [200, ""]);
  broker = await start({ config: CONFIG, token: TOKEN });
  await broker.endpoint("crm", hook.url);
  ({ context, page, check } = await open(browser, broker.address));
});

afterEach(async () => {
  // An API that refuses says so by its status, which the console tells.
  check(/status of 40[13]/);
  await context.close();
  await Promise.all([broker.stop(), hook.close()]);
});

async function login(token = TOKEN) {
  await page.getByLabel("Admin token").fill(token);
  await page.getByRole("button", { name: "Log in" }).click();
}

const state = async () => (await broker.get("/v1/endpoints/crm")).state;

test("the right token leads to the page that was asked for, and a wrong one does not", async () => {
  await page.goto(`${broker.address}/#/endpoints/crm`);
  await login("a wrong one");
  await page.getByText("That is not the admin token of this server.").waitFor();
  assert.deepEqual(await context.cookies(), []);
  await login();
  await page.locator("h1", { hasText: "crm" }).waitFor();
  assert.ok(!(await page.content()).includes(TOKEN));
});

test("the session's cookie is no script's, and for this site alone", async () => {
  await page.goto(`${broker.address}/login`);
  await login();
  await page.locator("h1", { hasText: "Overview" }).waitFor();
  const [cookie] = await context.cookies();
  assert.equal(cookie.httpOnly, true);
  assert.equal(cookie.sameSite, "Strict");
  assert.equal(cookie.secure, false);
  assert.match(cookie.name, /^redeliver_\d+$/);
  assert.match(cookie.value, /^[0-9a-f]{64}$/);
  assert.equal(await page.evaluate(() => document.cookie), "");
  const lasts = cookie.expires - Date.now() / 1000;
  assert.ok(lasts > 11.9 * 3600 && lasts < 12.1 * 3600, String(lasts));
});

test("behind https the cookie is secure", async () => {
  const body = new URLSearchParams({ token: TOKEN });
  const headers = { "x-forwarded-proto": "https", "sec-fetch-site": "same-origin" };
  const answer = await fetch(`${broker.address}/login`, { method: "POST", body, headers, redirect: "manual" });
  assert.equal(answer.status, 303);
  assert.match(answer.headers.get("set-cookie"), /^__Host-redeliver_\d+=[0-9a-f]{64}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict; Secure$/);
});

test("actions work with a session, and a logout ends it on the server too", async () => {
  await page.goto(`${broker.address}/login`);
  await login();
  await page.goto(`${broker.address}/#/endpoints/crm`);
  await page.getByRole("button", { name: "Pause", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Pause" }).click();
  await page.getByText("crm is paused").waitFor();
  assert.equal(await state(), "paused");
  const [{ name, value }] = await context.cookies();
  const ask = () => fetch(`${broker.address}/v1/endpoints`, { headers: { cookie: `${name}=${value}` } });
  assert.equal((await ask()).status, 200);
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByLabel("Admin token").waitFor();
  assert.deepEqual(await context.cookies(), []);
  assert.equal((await ask()).status, 401);
});

test("when the server forgets the session, the next look asks to log in and then goes on there", async () => {
  await page.goto(`${broker.address}/login`);
  await login();
  await page.goto(`${broker.address}/#/endpoints/crm?status=dead`);
  await page.locator("h1", { hasText: "crm" }).waitFor();
  const { port } = new URL(broker.address);
  await broker.stop({ keep: true });
  const token = "another-token";
  broker = await start({ config: CONFIG, token, dir: broker.home, port });
  await page.getByLabel("Admin token").waitFor();
  await login(TOKEN);
  await page.getByText("That is not the admin token of this server.").waitFor();
  await login(token);
  await page.locator("h1", { hasText: "crm" }).waitFor();
  assert.match(page.url(), /#\/endpoints\/crm\?status=dead$/);
  // Between the two servers there was none.
  const after = check;
  check = () => after(/status of 40[13]|ERR_CONNECTION_(REFUSED|RESET)|ERR_EMPTY_RESPONSE|ERR_INCOMPLETE/);
});

test("a page of another port, to which the browser adds the cookie, changes and reads nothing", async () => {
  await page.goto(`${broker.address}/login`);
  await login();
  await page.locator("h1", { hasText: "Overview" }).waitFor();
  const got = [];
  const evil = createServer((request, response) => {
    got.push(request.url);
    response.setHeader("content-type", "text/html").end("<form method=post><button>win</button></form>");
  });
  await new Promise((resolve) => evil.listen(0, "127.0.0.1", resolve));
  const other = await context.newPage();
  await other.goto(`http://127.0.0.1:${evil.address().port}/`);
  const answers = await other.evaluate(async (target) => {
    const tries = [
      ["POST", "/v1/endpoints/crm/pause", {}],
      ["POST", "/v1/endpoints/crm/pause", { mode: "no-cors" }],
      ["POST", "/logout", { mode: "no-cors" }],
      ["GET", "/v1/endpoints", {}],
    ];
    const told = [];
    for (const [method, path, options] of tries) {
      const asked = fetch(target + path, { method, credentials: "include", ...options });
      told.push(await asked.then((answer) => `${answer.type} ${answer.status}`, () => "refused"));
    }
    return told;
  }, broker.address);
  assert.deepEqual(answers, ["refused", "opaque 0", "opaque 0", "refused"]);
  // By a form, which no policy of ours can keep another page from sending.
  await other.evaluate((target) => {
    document.querySelector("form").action = `${target}/v1/endpoints/crm/pause`;
    document.querySelector("form").submit();
  }, broker.address);
  await other.getByText("this request does not come from a page of this server").waitFor();
  assert.equal(await state(), "active");
  await page.reload();
  await page.locator("h1", { hasText: "Overview" }).waitFor();
  // In a frame it is not shown either.
  await other.goto(`http://127.0.0.1:${evil.address().port}/`);
  await other.evaluate((target) => {
    const frame = document.createElement("iframe");
    frame.src = target;
    document.body.append(frame);
  }, broker.address);
  await other.waitForTimeout(300);
  assert.ok(!(await Promise.all(other.frames().map((frame) => frame.content().catch(() => "")))).some((text) => text.includes("Overview")));
  await other.close();
  await new Promise((resolve) => evil.close(resolve) && evil.closeAllConnections());
  // What that page asked for is its own business.
  check = () => {};
});

test("many wrong tokens are told to wait, sessions and bearers go on", async () => {
  await page.goto(`${broker.address}/login`);
  await login();
  await page.locator("h1", { hasText: "Overview" }).waitFor();
  const attempt = (token, from) =>
    fetch(`${broker.address}/login`, {
      method: "POST",
      body: new URLSearchParams({ token }),
      headers: { "sec-fetch-site": "same-origin", ...(from && { "x-forwarded-for": from }) },
      redirect: "manual",
    });
  for (let i = 0; i < 10; i += 1) assert.equal((await attempt(`wrong ${i}`)).status, 401);
  const late = await attempt(TOKEN);
  assert.equal(late.status, 429);
  assert.ok(Number(late.headers.get("retry-after")) > 0);
  assert.equal((await attempt(TOKEN, "198.51.100.7")).status, 303, "somebody elsewhere");
  assert.equal(await state(), "active");
  await page.reload();
  await page.locator("h1", { hasText: "Overview" }).waitFor();
});

test("a login that another site's page sends is not even looked at", async () => {
  const answer = await fetch(`${broker.address}/login`, {
    method: "POST",
    body: new URLSearchParams({ token: TOKEN }),
    headers: { "sec-fetch-site": "cross-site", origin: "https://evil.example" },
    redirect: "manual",
  });
  assert.equal(answer.status, 403);
  assert.equal(answer.headers.get("set-cookie"), null);
});

test("switched off, nothing of it is there, and the API is as before", async () => {
  const other = await start({ config: `[server]\ndashboard = false\n` });
  for (const path of ["/", "/login", "/dashboard/x/main.js"]) {
    assert.equal((await fetch(other.address + path)).status, 404, path);
  }
  assert.equal((await fetch(`${other.address}/v1/endpoints`)).status, 200);
  await other.stop();
});
