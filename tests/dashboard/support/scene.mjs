// A broker as somebody has it who runs one for a while: most is well, some things are not.
import { start } from "./broker.mjs";
import { receiver } from "./receiver.mjs";

const CONFIG = `
[[source]]
name = "surveys"
kind = "hotjar"
key = "env:SITE_KEY"

[[source]]
name = "site"
kind = "zenovay"
url = "http://127.0.0.1:1"
tracking_code = "ZV_ABCDEFGHIJK"
interval = "10m"

[[website]]
id = "ws_abc123"
tracking_code = "ZV_ABCDEFGHIJK"
domain = "example.com"
name = "Example shop"
sources = ["api"]

[[alert]]
name = "quiet"
website = "ws_abc123"
when = "below"
metric = "live"
threshold = 1
every = "10m"

[policy.strict]
schedule = ["1m", "10m"]
give_up_after = 3
on_410 = "pause"
`;

/** Starts it; gives the broker and the receivers' end. */
export async function scene() {
  const broker = await start({ config: CONFIG, args: ["--clock", "manual"], env: { SITE_KEY: "a-site-key" } });
  const well = await receiver(() => [200, "thanks"]);
  const away = await receiver(() => [503, "<html><h1>503 Service Unavailable</h1>upstream connect error"]);
  const gone = await receiver((request) => [gone.got.length > 4 ? 410 : 200, "gone for good"]);
  const picky = await receiver(() => [422, '{"error":"field total is missing"}']);
  const make = (name, { url }, policy, events = ["*"], more = {}) => broker.endpoint(name, url, { policy, events, check: "off", ...more });
  await make("warehouse", well, "standard", ["order.*"]);
  await make("crm", away, "esputnik", ["*"], { signing_key: "a-key-of-the-crm" });
  await make("mailing", well, "esputnik", ["customer.*", "page_view"]);
  await make("legacy-erp", gone, "strict", ["order.*"]);
  await make("billing", picky, "strict", ["invoice.*"]);
  await make("search-index", well, "standard", ["product.*"]);
  const types = ["order.paid", "order.shipped", "customer.created", "product.changed", "invoice.created"];
  for (let minute = 0; minute < 45; minute += 1) {
    const many = 3 + Math.round(3 * Math.sin(minute / 6) + (minute % 4));
    for (let i = 0; i < many; i += 1) {
      const type = types[(minute * 7 + i * 3) % types.length];
      if (type === "invoice.created" && minute % 5) continue;
      await broker.event(type, { id: minute * 100 + i, total: 12.5 * (i + 1), currency: "EUR" }, { subject: `cus_${(minute * 31 + i) % 97}` });
    }
    await broker.event("page_view", { page_url: "/pricing", country_code: "CZ" }, { subject: `visitor_${minute % 23}` });
    await broker.advance("1m");
  }
  const receivers = [well, away, gone, picky];
  const close = async () => {
    await broker.stop();
    await Promise.all(receivers.map((one) => one.close()));
  };
  return { broker, well, away, gone, picky, close };
}
