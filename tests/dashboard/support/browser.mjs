// A fresh browser, which notes everything that must not happen.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { chromium } from "playwright-core";

const ARGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

export const launch = () =>
  chromium.launch({ executablePath: process.env.CHROMIUM ?? PLACES.find(existsSync), args: ARGS });

const MEDIA = { js: "text/javascript", css: "text/css", svg: "image/svg+xml" };

/** The files of the working tree instead of those of the binary: a change is seen without a build. */
function serveFrom(tree, page) {
  return page.route("**/dashboard/*/**", (route) => {
    const [, file] = new URL(route.request().url()).pathname.match(/\/dashboard\/[0-9a-f]+\/(.+)$/);
    route.fulfill({ body: readFileSync(`${tree}/${file}`), contentType: MEDIA[file.split(".").at(-1)] });
  });
}

/**
 * A page of a context of its own. `check()` fails where anything left the origin, the policy was
 * violated, or the console has an error that `expected` does not name.
 */
export async function open(browser, origin, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "en-GB", timezoneId: "UTC", ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(120_000);
  const wrong = [];
  const foreign = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) wrong.push(`${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => wrong.push(`uncaught: ${error.stack}`));
  context.on("request", (request) => {
    const url = new URL(request.url());
    if (url.origin !== origin && url.protocol !== "blob:") foreign.push(request.url());
  });
  const tree = process.env.DASHBOARD_ASSETS;
  if (tree) await serveFrom(tree, page);
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      console.error(`policy violated: ${event.violatedDirective} by ${event.blockedURI} ${event.sample}`);
    });
  });
  const check = (expected = /$^/) => {
    assert.deepEqual(foreign, [], "requests left the origin");
    assert.deepEqual(wrong.filter((line) => !expected.test(line)), []);
  };
  return { context, page, check };
}
