// The pictures of docs/dashboard.md.
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { launch, open } from "./support/browser.mjs";
import { scene } from "./support/scene.mjs";

const DOCS = fileURLToPath(new URL("../../docs/", import.meta.url));

let browser, place;

before(async () => ([browser, place] = await Promise.all([launch(), scene()])));
after(() => Promise.all([browser.close(), place.close()]));

async function picture(name, fragment, options = {}, prepare = async () => {}) {
  const { broker } = place;
  const { context, page, check } = await open(browser, broker.address, options);
  await page.goto(`${broker.address}/${fragment}`);
  await page.locator("#main:not([aria-busy]) h1").waitFor();
  await prepare(page);
  await page.evaluate(() => document.activeElement.blur());
  await page.screenshot({ path: `${DOCS}dashboard-${name}.png`, animations: "disabled" });
  check();
  await context.close();
}

test("pictures are taken", async () => {
  const [waiting] = (await place.broker.get("/v1/deliveries?endpoint=crm&status=waiting")).data;
  await picture("overview", "#/", { viewport: { width: 1280, height: 960 } });
  await picture("overview-dark", "#/", { viewport: { width: 1280, height: 960 }, colorScheme: "dark" });
  await picture("delivery", `#/deliveries/${waiting.id}`, { viewport: { width: 1280, height: 820 } });
  await picture("dead", "#/dead", { viewport: { width: 1280, height: 400 } }, (page) =>
    page.getByLabel("Select all that are shown").check());
  await picture("phone", "#/", { viewport: { width: 360, height: 760 }, deviceScaleFactor: 1.5 });
});
