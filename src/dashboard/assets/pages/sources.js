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
  const heads = [["Source"], ["Kind"], ["Path"], ["Accepted", "number"], ["Duplicates", "number"], ["Refused"], ["Last refusal"]];
  const row = (source) => html`<tr>
    <th scope="row">${text(source.name)}</th>
    <td>${source.kind}</td>
    <td><code>${text(source.path)}</code></td>
    <td class="number">${count(source.accepted)}</td>
    <td class="number">${count(source.duplicates)}</td>
    <td>${reasons(source.refused)}</td>
    <td class="wide">${source.last_refusal ? html`${time(source.last_refused_at)}: ${text(source.last_refusal, 160)}` : html`<span class="quiet">–</span>`}</td>
  </tr>`;
  return table("Sources", heads, sources.map(row));
}

function reasons(refused) {
  const all = Object.entries(refused);
  if (all.length === 0) return html`<span class="quiet">0</span>`;
  return all.map(([reason, number]) => html`<span class="badge bad">${count(number)} ${reason.replaceAll("_", " ")}</span> `);
}

function polledTable(pollers) {
  const heads = [["Source"], ["State"], ["Polls", "number"], ["Failed", "number"], ["Accepted", "number"], ["Last polled"], ["Next"], ["Last error"]];
  const state = (poller) => {
    if (poller.failing.length) return html`<span class="badge bad">fails: ${poller.failing.join(", ")}</span>`;
    if (poller.resting.length) return html`<span class="badge warn">rests: ${poller.resting.join(", ")}</span>`;
    return html`<span class="badge good">well</span>`;
  };
  const row = (poller) => html`<tr>
    <th scope="row">${text(poller.name)}</th>
    <td>${state(poller)}</td>
    <td class="number">${count(poller.polls)}</td>
    <td class="number">${count(poller.failed)}</td>
    <td class="number">${count(poller.accepted)}</td>
    <td>${time(poller.last_polled_at)}</td>
    <td>${time(poller.next_poll_at)}</td>
    <td class="wide">${poller.last_error ? html`${time(poller.last_failed_at)}: ${text(poller.last_error, 160)}` : html`<span class="quiet">–</span>`}</td>
  </tr>`;
  return table("Pollers", heads, pollers.map(row));
}

function alertTable(alerts) {
  const heads = [["Alert"], ["State"], ["Website"], ["When"], ["Value", "number"], ["Checked"], ["Fired"]];
  const row = (alert) => html`<tr>
    <th scope="row">${text(alert.name)}</th>
    <td>${badge(alert.state)}</td>
    <td>${text(alert.website)}</td>
    <td>${condition(alert)}</td>
    <td class="number">${alert.last_value ?? "–"}</td>
    <td>${time(alert.last_checked_at)}</td>
    <td>${time(alert.last_fired_at, "never")}</td>
  </tr>`;
  return table("Alerts", heads, alerts.map(row));
}

function condition({ when, metric, range, threshold, factor, every }) {
  const words = when.replaceAll("-", " ");
  const figure = metric ? `${metric.replaceAll("_", " ")}${range ? ` of ${range}` : ""} ${words} ${threshold}` : words;
  const bound = factor ? `, ${factor} times` : !metric && threshold ? ` from ${threshold} on` : "";
  return `${figure}${bound}, every ${every}`;
}

function faultTable(faults) {
  const heads = [["When"], ["Fault"], ["Delivery"], ["Attempt", "number"], ["What was done"]];
  const row = (fault) => html`<tr>
    <td>${time(fault.at)}</td>
    <td><code>${visible(typeof fault.fault === "string" ? fault.fault : JSON.stringify(fault.fault))}</code></td>
    <td>${deliveryLink({ id: fault.delivery_id }, "delivery")}</td>
    <td class="number">${fault.attempt}</td>
    <td class="wide">${fault.done ? nothing : "not done: "}${text(fault.detail, 160)}</td>
  </tr>`;
  return table("Faults", heads, faults.map(row));
}
