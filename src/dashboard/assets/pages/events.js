// The log: live, or page by page.
import { html, nothing } from "../html.js";
import { get } from "../api.js";
import { count, size } from "../format.js";
import { badge, empty, field, heading, pageOfId, pager, table, text, time } from "../parts.js";
import { go, to, turn, turned } from "../router.js";
import { follow } from "../tail.js";

const PER_PAGE = 50;

/** How many ends of attempts a row has room for; the event's page has all. */
const OUTCOMES_SHOWN = 3;

const SEND = `redeliver event send order.paid --data '{"order": 17}'`;

export function events({ query }, app) {
  const { type, source, subject, cursor } = query;
  // The stream knows types alone, and an older page does not grow.
  const isLive = !cursor && !source && !subject && query.live !== "no";
  let page = null;
  let tail = null;

  async function load(signal) {
    if (tail) return;
    page = await get("events", { type, source, subject, cursor, limit: PER_PAGE }, signal);
    if (!isLive) return;
    tail = follow(type, app.draw);
    tail.begin(page.data);
  }

  function view() {
    const rows = tail?.rows ?? page.data;
    return html`
      ${heading("Events", liveness(), html`<div class="actions"><a href="#/deliveries">Deliveries</a></div>`)}
      <form class="filters" role="search" @submit=${(event) => event.preventDefault()}>
        ${field("type", "Type", html`<input id="type" type="search" placeholder="order.*,paid  /" .value=${type ?? ""} @change=${narrow("type")}>`)}
        ${field("source", "Source", html`<input id="source" type="search" placeholder="api" .value=${source ?? ""} @change=${narrow("source")}>`)}
        ${field("subject", "Subject", html`<input id="subject" type="search" placeholder="cus_17, or an id" .value=${subject ?? ""} @change=${find}>`)}
      </form>
      ${rows.length ? list(rows) : nothingYet()}
      ${tail ? older() : pager(page.next, cursor)}`;
  }

  /** Nobody looks: browsers have six connections to a server, and this is one. */
  function hide() {
    if (!tail || tail.paused) return;
    page = { ...page, data: tail.rows };
    tail.close();
    tail = null;
  }

  const narrow = (name) => (event) =>
    turn({ [name]: event.target.value.trim() || undefined, cursor: undefined });

  /** What an event is about; an id, as a log or a colleague has it, leads to its page. */
  function find(event) {
    const page = pageOfId(event.target.value.trim());
    if (page) go(page);
    else narrow("subject")(event);
  }

  function liveness() {
    if (!tail) return html`<a class="button" href=${turned({ live: undefined, cursor: undefined, source: undefined, subject: undefined })}>Follow live</a>`;
    const words = tail.paused ? "paused" : tail.connected ? "live" : "connecting";
    const behind = tail.paused ? tail.came - tail.missed : 0;
    return html`<span class="badge ${tail.connected && !tail.paused ? "live" : "warn"}" role="status">${words}</span>
      <button id="pause-tail" aria-pressed=${tail.paused} @click=${tail.pause}>${tail.paused ? "Resume" : "Pause"}</button>
      ${behind ? html`<span class="quiet">${count(behind)} new</span>` : nothing}`;
  }

  function older() {
    if (!page.next) return nothing;
    return html`<nav class="pager" aria-label="Pages"><a href=${turned({ cursor: page.next })}>Older</a></nav>`;
  }

  function nothingYet() {
    if (type || source || subject) return empty("No event is like that, as far as was looked.");
    return empty("The log is empty. Put an event into it:", SEND);
  }

  return { title: "Events", every: 3_000, load, view, hide, close: () => tail?.close() };
}

function list(rows) {
  const columns = [["Event"], ["Type", "name lead"], ["Source", "name"], ["Subject", "name"], ["Received"], ["Size", "number"], ["Deliveries just now", "wide"]];
  return table("Events", columns, rows, cells);
}

const cells = (event) => [
  html`<a href=${to(["events", event.id])}>#${event.seq}</a>`,
  text(event.type, 80),
  text(event.source, 40),
  event.subject === undefined ? html`<span class="quiet">–</span>` : text(event.subject, 40),
  time(event.received_at),
  size(event.size),
  outcomes(event),
];

/** What did not arrive comes first: one of many must not be hidden by those that did. */
function outcomes({ id, outcomes: all = [] }) {
  const [arrived, others] = [true, false].map((is) => all.filter(({ status }) => (status === "delivered") === is));
  const shown = [...others, ...arrived].slice(0, OUTCOMES_SHOWN);
  const left = all.length - shown.length;
  return html`${shown.map(outcome)}${left ? html`<a class="quiet" href=${to(["events", id])}>and more</a>` : nothing}`;
}

const outcome = ({ delivery_id, endpoint, status, code }) =>
  html`<a class="plain outcome" href=${to(["deliveries", delivery_id])}>${text(endpoint, 24)} ${badge(status)}${code ? ` ${code}` : ""}</a> `;
