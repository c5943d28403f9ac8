// Everything at a glance: what is stuck and why, and the mend beside it.
import { html, nothing } from "../html.js";
import { get } from "../api.js";
import { attention } from "../attention.js";
import { advancer } from "../advance.js";
import { brief, count, counted, duration, relative, size } from "../format.js";
import { plot, spark } from "../plot.js";
import { badge, due, empty, endpointLink, heading, lettersOf, outcome, table, tabs, text, time } from "../parts.js";
import { to, turn, turned } from "../router.js";
import { clockNow, diskIsLow, lastStatus } from "../status.js";
import { loadUnderway, underway } from "../underway.js";

const PER_PAGE = 50;

/** How many of those that need somebody are told one by one. */
const WORST_MAX = 5;
const UNWELL = ["failing", "paused", "dead_letters", "retrying"];

/** Activity changes slowly, and is the largest answer. */
const ACTIVITY_EVERY_MS = 10_000;

const WINDOWS = { "1h": "the last hour", "24h": "the last 24 hours", "7d": "the last 7 days" };

const ADD = `redeliver endpoint add orders --url http://127.0.0.1:9000/hook --policy standard`;

export function overview({ query }, app) {
  let seen = null;
  let worst = [];
  let running = [];
  let activity = null;
  let activityAt = -Infinity;
  const offset = Number(query.offset) || 0;
  const isNarrowed = Boolean(query.health || query.search || query.sort || offset);
  const shown = { health: query.health, search: query.search, sort: query.sort };

  async function load(signal) {
    const [all, tasks] = await Promise.all([
      get("overview", { ...shown, offset, limit: PER_PAGE }, signal),
      loadUnderway(signal),
    ]);
    // The list begins with them, unless it was asked for something else.
    const first = isNarrowed ? await get("overview", { limit: WORST_MAX }, signal) : all;
    if (performance.now() - activityAt > ACTIVITY_EVERY_MS) {
      activity = await get("activity", { window: query.window, limit: 1000 }, signal);
      activityAt = performance.now();
    }
    seen = all;
    running = tasks;
    worst = first.data.slice(0, WORST_MAX).filter(({ health }) => UNWELL.includes(health));
  }

  function view() {
    const { totals } = seen;
    return html`
      ${heading("Overview")}
      ${isEmpty() ? empty("There is no endpoint yet, so nothing is delivered to anybody. Add one:", ADD) : attention(worst, totals, app)}
      ${underway(running, app)}
      ${figures(totals, activity, query.window)}
      <section aria-labelledby="activity">
        <div class="section-head">
          <h2 id="activity">Activity</h2>
          ${tabs("Window", "window", [["", "1 h"], ["24h", "24 h"], ["7d", "7 d"]], query.window)}
        </div>
        ${plot(summed(activity))}
        ${activity.more ? html`<p class="quiet">Deliveries are those of the 1,000 endpoints that were active last.</p>` : nothing}
      </section>
      ${advancer(app, totals.next_attempt_at)}
      ${isEmpty() ? nothing : endpoints()}`;
  }

  const isEmpty = () => seen.totals.endpoints + seen.totals.removed === 0;

  function endpoints() {
    return html`<section aria-labelledby="endpoints">
      <div class="section-head">
        <h2 id="endpoints">Endpoints</h2>
        ${tabs("Health", "health", choices(seen.totals), query.health)}
        <input type="search" aria-label="Search endpoints by name or URL" placeholder="Search name or URL  /"
          .value=${query.search ?? ""}
          @input=${(event) => turn({ search: event.target.value || undefined, offset: undefined })}>
      </div>
      ${rows()}
    </section>`;
  }

  function rows() {
    if (seen.data.length === 0) return empty("No endpoint is like that.");
    const of = new Map(activity.endpoints.map((endpoint) => [endpoint.id, endpoint]));
    const sorted = (word, by, className) => [
      word,
      className,
      html`<a href=${turned({ sort: by, offset: undefined })} aria-current=${(query.sort ?? "health") === by ? "true" : nothing}>${word}</a>`,
    ];
    const columns = [
      sorted("Endpoint", "name", "name"),
      sorted("State", "health", "state"),
      ["Activity", "activity"],
      sorted("Backlog", "backlog", "number"),
      sorted("Oldest", "oldest"),
      ["Next attempt"],
      ["Delivered", "number"],
      sorted("Dead", "dead", "number"),
      ["Last failure", "wide"],
    ];
    return html`${table("Endpoints", columns, seen.data, (endpoint) => cells(endpoint, of.get(endpoint.id)))}
    ${pages()}`;
  }

  function pages() {
    if (seen.matched <= PER_PAGE) return nothing;
    const last = Math.min(offset + PER_PAGE, seen.matched);
    const at = (first) => turned({ offset: first || undefined });
    return html`<nav class="pager" aria-label="Pages">
      ${offset > 0 ? html`<a href=${at(Math.max(0, offset - PER_PAGE))} rel="prev">Previous</a>` : nothing}
      <span>${count(offset + 1)} to ${count(last)} of ${count(seen.matched)}</span>
      ${last < seen.matched ? html`<a href=${at(offset + PER_PAGE)} rel="next">Next</a>` : nothing}
    </nav>`;
  }

  return { title: "Overview", every: 3_000, load, view };
}

function cells(endpoint, activity) {
  const { id, name, url, backlog, dead, last_failure: failure } = endpoint;
  const zero = html`<span class="quiet">0</span>`;
  return [
    html`${endpointLink(name, id)}<span class="sub">${text(url, 48)}</span>`,
    badge(endpoint.health),
    spark(activity),
    backlog ? count(backlog) : zero,
    time(endpoint.oldest_waiting_at),
    due(endpoint.next_attempt_at, endpoint.state === "paused"),
    count(endpoint.delivered),
    dead ? lettersOf(endpoint) : zero,
    failure ? html`<a class="plain" href=${to(["deliveries", failure.delivery_id])}>${outcome(failure.status, failure.error, false)}</a>` : nothing,
  ];
}

function choices(totals) {
  const some = [
    ["failing", "Failing", totals.failing],
    ["paused", "Paused", totals.paused],
    ["dead_letters", "Dead letters", totals.dead_letters],
    ["retrying", "Retrying", totals.retrying],
    ["busy,well", "Well", totals.busy + totals.well],
    ["removed", "Removed", totals.removed],
  ];
  const present = some.filter(([, , number]) => number > 0);
  return [["", `All ${count(totals.endpoints)}`], ...present.map(([value, word, number]) => [value, `${word} ${count(number)}`])];
}

function summed({ from, step, ingested, endpoints }) {
  const zeros = ingested.map(() => 0);
  const sum = (name) =>
    endpoints.reduce((total, endpoint) => total.map((n, i) => n + endpoint[name][i]), zeros);
  return { from, step, ingested, delivered: sum("delivered"), failed: sum("failed"), label: "Activity of all endpoints" };
}

function figures(totals, activity, window = "1h") {
  const { store, deliveries, streams, version, started_at } = lastStatus();
  const tile = (name, value, beside, className = "") =>
    html`<div class="tile ${className}"><dt>${name}</dt><dd>${value}<span class="sub">${beside}</span></dd></div>`;
  const recent = activity.ingested.reduce((sum, n) => sum + n, 0);
  // Nothing before the start is known: events that are in the log may have come within the window.
  const isKnown = Date.parse(activity.from) >= Date.parse(started_at);
  const since = isKnown ? `in ${WINDOWS[window]}` : `since the start, ${relative(started_at, clockNow())}`;
  const free = store.free_bytes === null ? "" : `${size(store.free_bytes)} free`;
  return html`<dl class="tiles" aria-label="Totals">
    ${tile("Events in the log", brief(store.events), `${brief(recent)} ${since}`)}
    ${tile("Delivered", html`<a class="plain" href=${to(["deliveries"], { status: "delivered" })}>${brief(totals.delivered)}</a>`, counted(totals.endpoints, "endpoint"))}
    ${tile("Backlog", html`<a class="plain" href=${to(["deliveries"], { status: "waiting" })}>${brief(totals.backlog)}</a>`, html`oldest ${time(totals.oldest_waiting_at, "none")}`)}
    ${tile("Next attempt", due(totals.next_attempt_at), `${brief(deliveries.in_flight)} in flight`)}
    ${tile("Dead letters", totals.dead ? html`<a href="#/dead">${brief(totals.dead)}</a>` : "0", "given up", totals.dead ? "warn" : "")}
    ${store.used_bytes === null
      ? nothing
      : tile("Log on disk", size(store.used_bytes), free, diskIsLow(store) ? "bad" : "")}
    ${tile("Up for", duration(clockNow() - Date.parse(started_at)), `version ${version}, ${counted(streams.open, "stream")}`)}
  </dl>`;
}
