// Where events come from, what watches over them, and what is done wrong on purpose.
import { html, nothing } from "../html.js";
import { get } from "../api.js";
import { count, visible } from "../format.js";
import { badge, deliveryLink, empty, heading, table, text, time } from "../parts.js";

const SOURCE = `[[source]]
name = "surveys"         # POST /in/surveys
kind = "hotjar"
key = "env:HOTJAR_KEY"`;

const ALERT = `[[alert]]
name = "quiet"
website = "ws_abc123"
when = "below"
metric = "live"
threshold = 1`;

export function sources() {
  let seen, alerts, faults;

  async function load(signal) {
    [seen, alerts, faults] = await Promise.all([
      get("sources", {}, signal),
      get("alerts", {}, signal),
      get("faults", { limit: 50 }, signal),
    ]);
  }

  function view() {
    const polled = seen.data.filter((source) => "polls" in source);
    const told = seen.data.filter((source) => !("polls" in source));
    return html`
      ${heading("Sources")}
      <section aria-labelledby="in">
        <h2 id="in">What is sent here</h2>
        <p class="quiet">Since the start. Events may also be posted to <code>/v1/events</code>.${seen.unknown ? ` ${count(seen.unknown)} requests named a source that there is not.` : ""}</p>
        ${told.length ? toldTable(told) : empty("No source is configured. In redeliver.toml:", SOURCE)}
      </section>
      ${polled.length ? html`<section aria-labelledby="polled"><h2 id="polled">What is polled</h2>${polledTable(polled)}</section>` : nothing}
      <section aria-labelledby="alerts">
        <h2 id="alerts">Alerts</h2>
        ${alerts.data.length ? alertTable(alerts.data) : empty("No alert is configured. In redeliver.toml, for a website:", ALERT)}
      </section>
      ${faults.data.length ? html`<section aria-labelledby="faults"><h2 id="faults">Faults on purpose</h2>${faultTable(faults.data)}</section>` : nothing}`;
  }

  return { title: "Sources", every: 5_000, load, view };
}

function toldTable(sources) {
  const columns = [["Source", "name"], ["Kind"], ["Path"], ["Accepted", "number"], ["Duplicates", "number"], ["Refused"], ["Last refusal", "wide"]];
  const cells = (source) => [
    text(source.name),
    source.kind,
    html`<code>${text(source.path)}</code>`,
    count(source.accepted),
    count(source.duplicates),
    reasons(source.refused),
    source.last_refusal ? html`${time(source.last_refused_at)}: ${text(source.last_refusal, 160)}` : html`<span class="quiet">–</span>`,
  ];
  return table("Sources", columns, sources, cells);
}

function reasons(refused) {
  const all = Object.entries(refused);
  if (all.length === 0) return html`<span class="quiet">0</span>`;
  return all.map(([reason, number]) => html`<span class="badge bad">${count(number)} ${reason.replaceAll("_", " ")}</span> `);
}

function polledTable(pollers) {
  const columns = [["Source", "name"], ["State", "state"], ["Polls", "number"], ["Failed", "number"], ["Accepted", "number"], ["Last polled"], ["Next"], ["Last error", "wide"]];
  const state = (poller) => {
    if (poller.failing.length) return html`<span class="badge bad">fails: ${poller.failing.join(", ")}</span>`;
    if (poller.resting.length) return html`<span class="badge warn">rests: ${poller.resting.join(", ")}</span>`;
    return html`<span class="badge good">well</span>`;
  };
  const cells = (poller) => [
    text(poller.name),
    state(poller),
    count(poller.polls),
    count(poller.failed),
    count(poller.accepted),
    time(poller.last_polled_at),
    time(poller.next_poll_at),
    poller.last_error ? html`${time(poller.last_failed_at)}: ${text(poller.last_error, 160)}` : html`<span class="quiet">–</span>`,
  ];
  return table("Pollers", columns, pollers, cells);
}

function alertTable(alerts) {
  const columns = [["Alert", "name"], ["State", "state"], ["Website"], ["When", "wide"], ["Value", "number"], ["Checked"], ["Fired"]];
  const cells = (alert) => [
    text(alert.name),
    badge(alert.state),
    text(alert.website),
    condition(alert),
    alert.last_value ?? "–",
    time(alert.last_checked_at),
    time(alert.last_fired_at, "never"),
  ];
  return table("Alerts", columns, alerts, cells);
}

function condition({ when, metric, range, threshold, factor, every }) {
  const words = when.replaceAll("-", " ");
  const figure = metric ? `${metric.replaceAll("_", " ")}${range ? ` of ${range}` : ""} ${words} ${threshold}` : words;
  const bound = factor ? `, ${factor} times` : !metric && threshold ? ` from ${threshold} on` : "";
  return `${figure}${bound}, every ${every}`;
}

function faultTable(faults) {
  const columns = [["Fault"], ["When"], ["Delivery"], ["Attempt", "number"], ["What was done", "wide"]];
  const cells = (fault) => [
    html`<code>${visible(typeof fault.fault === "string" ? fault.fault : JSON.stringify(fault.fault))}</code>`,
    time(fault.at),
    deliveryLink({ id: fault.delivery_id }, "delivery"),
    fault.attempt,
    html`${fault.done ? nothing : "not done: "}${text(fault.detail, 160)}`,
  ];
  return table("Faults", columns, faults, cells, (_, i) => i);
}
