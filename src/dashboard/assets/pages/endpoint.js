// One endpoint: how it is, what it is set to, its deliveries, and what can be done.
import { html, nothing } from "../html.js";
import { get, part } from "../api.js";
import { pause, resume, retryWaiting, rotateKey, send } from "../actions.js";
import { ask } from "../dialog.js";
import { STATUSES, deliveriesTable } from "../deliveries.js";
import { count, visible } from "../format.js";
import { plot } from "../plot.js";
import { badge, deliveryLink, due, empty, facts, heading, lettersOf, pager, tabs, text, time, told } from "../parts.js";
import { carryOut } from "../tasks.js";

export function endpoint({ parts, query }, app) {
  const wanted = parts[1];
  let endpoint = null;
  let activity = null;
  let deliveries = null;
  let failing = null;
  let isFailing = false;

  async function load(signal) {
    endpoint = await get(`endpoints/${part(wanted)}`, {}, signal);
    // A removed one is known by its id alone.
    const { id } = endpoint;
    const ofIt = (status, limit, cursor) => get("deliveries", { endpoint: id, status, cursor, limit }, signal);
    let waiting;
    [activity, deliveries, waiting] = await Promise.all([
      get("activity", { window: query.window, endpoint: id }, signal),
      ofIt(query.status, 25, query.cursor),
      ofIt("waiting", 1),
    ]);
    failing = waiting.data[0];
    // Whether all of its attempts fail, or only some, is for the server to say.
    const all = failing && (await get("overview", { search: endpoint.name, health: "failing", limit: 200 }, signal));
    isFailing = Boolean(all?.data.some(({ id }) => id === endpoint.id));
  }

  /** As the overview calls it. */
  function health() {
    if (endpoint.state !== "active") return endpoint.state;
    if (isFailing) return "failing";
    if (endpoint.dead) return "dead_letters";
    if (failing) return "retrying";
    return endpoint.backlog ? "busy" : "well";
  }

  function view() {
    const isThere = endpoint.state !== "removed";
    return html`
      ${heading(text(endpoint.name), badge(health()), isThere ? tools() : nothing)}
      <p class="url">${text(endpoint.url)}</p>
      ${endpoint.state === "active" ? nothing : html`<p class="problem">${halted()}</p>`}
      ${failing ? why() : nothing}
      ${figures()}
      <section aria-labelledby="activity">
        <div class="section-head">
          <h2 id="activity">Activity</h2>
          ${tabs("Window", "window", [["", "1 h"], ["24h", "24 h"], ["7d", "7 d"]], query.window)}
        </div>
        ${plot(series())}
      </section>
      <section aria-labelledby="deliveries">
        <div class="section-head">
          <h2 id="deliveries">Deliveries</h2>
          ${tabs("Status", "status", STATUSES, query.status)}
        </div>
        ${deliveries.data.length
          ? deliveriesTable(deliveries.data, endpoint.state === "removed" ? null : app)
          : empty(
              query.status || query.cursor ? "There is none like that." : "No event has gone to it yet. Send one that it selects:",
              query.status || query.cursor ? null : "redeliver event send order.paid --data '{\"order\": 17}'",
            )}
        ${pager(deliveries.next, query.cursor)}
      </section>
      ${settings()}`;
  }

  function halted() {
    const { state, state_reason: reason, backlog } = endpoint;
    const because = reason ? html`: ${told(reason)}` : nothing;
    if (state === "removed") return html`Removed${because}. Nothing is sent to it any more; what was is listed below.`;
    return html`Paused${because}. Nothing is sent to it until it is resumed; ${backlog === 1 ? "1 delivery waits" : `${count(backlog)} deliveries wait`}.`;
  }

  function why() {
    return html`<section class="why ${isFailing ? "bad" : "warn"}" aria-labelledby="why">
      <h2 id="why">${isFailing ? "Why it fails" : "What is tried again"}</h2>
      <p>${deliveryLink(failing)}: ${told(failing.explanation)}.</p>
    </section>`;
  }

  function tools() {
    const isPaused = endpoint.state === "paused";
    return html`<div class="actions">
      ${isPaused
        ? html`<button class="primary" @click=${() => resume(endpoint, app)}>Resume</button>`
        : html`<button @click=${() => pause(endpoint, app)}>Pause</button>`}
      <button @click=${() => send(endpoint, app)}>Send test</button>
      ${failing ? html`<button @click=${() => retryWaiting(endpoint, app)}>Retry all that waits …</button>` : nothing}
      <button @click=${() => askReplay(endpoint, app)}>Replay …</button>
      ${endpoint.origin === "config" ? nothing : html`<button @click=${() => rotateKey(endpoint, app)}>Rotate key …</button>`}
    </div>`;
  }

  function figures() {
    const tile = (name, value, className = "") => html`<div class="tile ${className}"><dt>${name}</dt><dd>${value}</dd></div>`;
    return html`<dl class="tiles" aria-label="Figures">
      ${tile("Backlog", count(endpoint.backlog))}
      ${tile("Oldest waiting", time(endpoint.oldest_waiting_at, "none"))}
      ${tile("Next attempt", due(endpoint.next_attempt_at, endpoint.state === "paused"))}
      ${tile("Delivered", count(endpoint.delivered))}
      ${endpoint.dead ? tile("Dead letters", lettersOf(endpoint), "warn") : tile("Dead letters", "0")}
    </dl>`;
  }

  function series() {
    const zeros = activity.ingested.map(() => 0);
    const { delivered = zeros, failed = zeros } = activity.endpoints[0] ?? {};
    return { from: activity.from, step: activity.step, delivered, failed, label: "Activity of this endpoint" };
  }

  function settings() {
    const yes = (value) => (value ? "yes" : "no");
    const headers = Object.keys(endpoint.headers ?? {});
    return html`<section aria-labelledby="settings">
      <h2 id="settings">Settings</h2>
      ${facts([
        ["Policy", text(endpoint.policy)],
        ["Events", endpoint.events.map((pattern) => html`<code>${text(pattern)}</code> `)],
        ["Signing key", endpoint.has_key ? "set; it is never shown" : "none"],
        ["Basic login", endpoint.basic_auth ? html`${text(endpoint.basic_auth.user)}, with a password` : "none"],
        ["Own headers", headers.length ? headers.map(visible).join(", ") : "none"],
        ["Concurrency", count(endpoint.concurrency)],
        ["Time for an attempt", endpoint.timeout ?? "–"],
        ["Check on save", endpoint.check],
        ["Own certificate authority", yes(endpoint.has_ca)],
        ["Comes from", endpoint.origin === "config" ? "the configuration file" : "the API"],
        ["Made", time(endpoint.created_at)],
        ["Id", html`<code>${endpoint.id}</code>`],
      ])}
      ${change()}
    </section>`;
  }

  function change() {
    if (endpoint.state === "removed") return nothing;
    if (endpoint.origin === "config") {
      return html`<p class="quiet">What the configuration file says wins each time it is read: change settings and the key there, and send SIGHUP.</p>`;
    }
    return html`<p class="quiet">To change one: <code>redeliver endpoint update ${visible(endpoint.name)} --help</code></p>`;
  }

  return { title: wanted, every: 3_000, load, view };
}

async function askReplay(endpoint, app) {
  const body = html`<p>Which deliveries of ${text(endpoint.name)} are to be put back?</p>
    <label><input type="radio" name="which" value="dead" checked> Dead letters alone</label>
    <label><input type="radio" name="which" value="all"> All, those that arrived too</label>
    <label for="since">Of events received since, in your time zone (empty: all)</label>
    <input id="since" name="since" type="datetime-local" step="1">
    <label for="until">and before</label>
    <input id="until" name="until" type="datetime-local" step="1">`;
  const given = await ask({ title: "Replay", body, yes: "Count them" });
  if (!given) return;
  const moment = (text) => (text ? new Date(text).toISOString() : undefined);
  const request = {
    endpoint: endpoint.id,
    status: given.which === "dead" ? "dead" : undefined,
    since: moment(given.since),
    until: moment(given.until),
  };
  const what = given.which === "dead" ? "dead letters" : "deliveries, those that arrived too";
  await carryOut("replay", request, html`${what} of ${text(endpoint.name)}`, app);
}
