// Dead letters: found by what they have in common, put back or given up together.
import { html, nothing } from "../html.js";
import { get } from "../api.js";
import { actOnAll } from "../actions.js";
import { follow } from "../dialog.js";
import { eventOf, lastAnswer, retryButton } from "../deliveries.js";
import { count, counted, line, receivedAt } from "../format.js";
import { done } from "../notices.js";
import { ACTION, deliveryLink, empty, endpointLink, field, heading, table, text, time } from "../parts.js";
import { turn } from "../router.js";
import { clockNow } from "../status.js";
import { bar, carryOut, confirm, past } from "../tasks.js";
import { loadUnderway, underway } from "../underway.js";

const SHOWN_MAX = 200;

/** What one look goes through, so that a rare status in a long list is no long wait. */
const PAGES_MAX = 10;

const AGES = [
  ["", "any age", Infinity],
  ["1h", "the last hour", 3_600_000],
  ["24h", "the last 24 hours", 86_400_000],
  ["7d", "the last 7 days", 7 * 86_400_000],
];

const STATUSES = [
  ["", "any answer"],
  ["none", "no answer at all"],
  ["4", "4xx"],
  ["5", "5xx"],
];

export function dead({ query }, app) {
  const { endpoint, type, age, answer } = query;
  const youngest = AGES.find(([name]) => name === (age ?? ""))?.[2] ?? Infinity;
  const selected = new Set();
  let found = [];
  let more = false;
  let running = [];

  async function load(signal) {
    const since = clockNow() - youngest;
    running = await loadUnderway(signal);
    const all = [];
    let cursor;
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const part = await get("deliveries", { status: "dead", endpoint, type, cursor, limit: SHOWN_MAX }, signal);
      all.push(...part.data.filter((delivery) => receivedAt(delivery.event_id) >= since && isLike(delivery)));
      cursor = part.next;
      const last = part.data.at(-1);
      const tooOld = last && receivedAt(last.event_id) < since;
      if (!cursor || tooOld || all.length >= SHOWN_MAX) {
        cursor = tooOld ? null : cursor;
        break;
      }
    }
    more = Boolean(cursor) || all.length > SHOWN_MAX;
    found = all.slice(0, SHOWN_MAX);
    const present = new Set(found.map(({ id }) => id));
    for (const id of selected) if (!present.has(id)) selected.delete(id);
  }

  function isLike({ last_status: status }) {
    if (!answer) return true;
    if (answer === "none") return status === null;
    return String(status ?? "").startsWith(answer);
  }

  const narrow = (name) => (event) => turn({ [name]: event.target.value.trim() || undefined });

  function view() {
    const isFiltered = endpoint || type || age || answer;
    return html`
      ${heading("Dead letters")}
      <p class="quiet">What was given up. Put back, a delivery is due now and begins its schedule anew; discarded, it leaves this list.</p>
      ${underway(running, app)}
      <form class="filters" role="search" @submit=${(event) => event.preventDefault()}>
        ${field("endpoint", "Endpoint", html`<input id="endpoint" type="search" placeholder="name or id  /" .value=${endpoint ?? ""} @change=${narrow("endpoint")}>`)}
        ${field("type", "Type", html`<input id="type" type="search" placeholder="order.*" .value=${type ?? ""} @change=${narrow("type")}>`)}
        ${field("age", "Received", choice("age", AGES, age))}
        ${field("answer", "Last answer", choice("answer", STATUSES, answer))}
      </form>
      ${found.length
        ? html`${tools()}${list()}`
        : empty(isFiltered ? "No dead letter is like that." : "There are no dead letters: nothing was given up.")}
      ${more ? html`<p class="quiet">There may be more. They are shown when these are gone, or when the filters are narrower.</p>` : nothing}`;
  }

  const choice = (name, choices, chosen) => html`<select id=${name} @change=${narrow(name)}>
    ${choices.map(([value, word]) => html`<option value=${value} ?selected=${value === (chosen ?? "")}>${word}</option>`)}
  </select>`;

  function tools() {
    const some = selected.size;
    return html`<div class="actions selection">
      <span aria-live="polite">${some ? `${count(some)} selected` : `${counted(found.length, "dead letter")} shown`}</span>
      <button class="primary" ?disabled=${!some} @click=${() => actOnSelected("replay")}>Put back selected</button>
      <button class="danger" ?disabled=${!some} @click=${() => actOnSelected("discard")}>Discard selected</button>
      ${answer
        ? html`<span class="quiet">All that were answered alike: select them.</span>`
        : html`<button @click=${() => actOnMatching("replay")}>Put back all that match …</button>
            <button class="danger" @click=${() => actOnMatching("discard")}>Discard all that match …</button>`}
    </div>`;
  }

  function list() {
    const all = found.every(({ id }) => selected.has(id));
    const box = html`<input type="checkbox" aria-label="Select all that are shown" .checked=${all}
      @change=${(event) => mark(found, event.target.checked)}>`;
    const columns = [
      ["", "box", box],
      ["Delivery"],
      ["Event", "name lead"],
      ["Endpoint", "name"],
      ["Attempts", "number"],
      ["Last answer", "wide"],
      ["Given up"],
      ACTION,
    ];
    return table("Dead letters", columns, found, cells);
  }

  function cells(delivery) {
    return [
      html`<input type="checkbox" aria-label="Select #${delivery.seq} to ${line(delivery.endpoint, 60)}" .checked=${selected.has(delivery.id)}
        @change=${(event) => mark([delivery], event.target.checked)}>`,
      deliveryLink(delivery),
      eventOf(delivery),
      endpointLink(delivery.endpoint, delivery.endpoint_id),
      count(delivery.attempt_count),
      lastAnswer(delivery),
      time(delivery.attempts.at(-1)?.ended_at),
      retryButton(delivery, app),
    ];
  }

  function mark(deliveries, isSelected) {
    for (const { id } of deliveries) {
      if (isSelected) selected.add(id);
      else selected.delete(id);
    }
    app.draw();
  }

  async function actOnSelected(kind) {
    const chosen = found.filter(({ id }) => selected.has(id));
    if (!(await confirm(kind, chosen.length))) return;
    const shown = follow("Dead letters", bar(kind, 0, chosen.length, true));
    const verb = kind === "replay" ? "retry" : "discard";
    const many = await actOnAll(verb, chosen, (now) => shown.draw(bar(kind, now, chosen.length, now < chosen.length)));
    done(past(kind, many));
    app.refresh();
  }

  function actOnMatching(kind) {
    const since = youngest === Infinity ? undefined : new Date(clockNow() - youngest).toISOString();
    const what = html`dead letters${endpoint ? html` of ${text(endpoint)}` : " of every endpoint"}${type ? html`, of type ${text(type)}` : nothing}${since ? html`, received in ${AGES.find(([name]) => name === age)[1]}` : nothing}`;
    return carryOut(kind, { status: "dead", endpoint, type, since }, what, app);
  }

  return { title: "Dead letters", every: 5_000, load, view };
}
