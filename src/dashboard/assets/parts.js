// Pieces that every page is made of.
import { html, nothing } from "./html.js";
import { clockNow } from "./status.js";
import { line, local, relative, visible } from "./format.js";
import { to, turned } from "./router.js";

const STATES = {
  failing: ["bad", "failing"],
  retrying: ["warn", "retrying"],
  dead_letters: ["warn", "dead letters"],
  busy: ["live", "delivering"],
  well: ["good", "well"],
  active: ["good", "active"],
  paused: ["warn", "paused"],
  removed: ["quiet", "removed"],
  pending: ["live", "pending"],
  waiting: ["bad", "waiting to retry"],
  in_flight: ["live", "in flight"],
  delivered: ["good", "delivered"],
  dead: ["dead", "dead letter"],
  filtered: ["quiet", "filtered"],
  firing: ["bad", "firing"],
  armed: ["good", "armed"],
};

/** A state by its colour and, for those who see none, its word. */
export function badge(state) {
  const [colour, word] = STATES[state] ?? ["quiet", state];
  return html`<span class="badge ${colour}">${word}</span>`;
}

/** A moment, relative to the broker's clock; the whole of it on hover. */
export function time(at, none = "–") {
  if (!at) return html`<span class="quiet">${none}</span>`;
  return html`<time datetime=${at} title="${local(at)} (${at})">${relative(at, clockNow())}</time>`;
}

/** When the next attempt leaves. */
export function due(at, isPaused = false) {
  if (!at) return time(at);
  if (isPaused) return html`<span class="quiet">paused</span>`;
  return Date.parse(at) <= clockNow() ? html`<time datetime=${at}>due now</time>` : time(at);
}

/** A stranger's text. It is kept to itself, so that its direction turns nothing around it. */
export const text = (value, most) => html`<bdi>${most ? line(value, most) : visible(value)}</bdi>`;

const MOMENT = /(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)/;

/** A text of the server's own, with its moments in the reader's time zone. */
export const told = (value) => value.split(MOMENT).map((part, i) => (i % 2 ? moment(part) : text(part)));

const moment = (at) => html`<time datetime=${at} title="${relative(at, clockNow())} (${at})">${local(at)}</time>`;

/** What came back, or what went wrong. */
export function outcome(status, error) {
  if (status === null && !error) return html`<span class="quiet">–</span>`;
  const good = status >= 200 && status < 300 && !error;
  const code = status === null ? nothing : html`<span class="code ${good ? "good" : "bad"}">${status}</span>`;
  return error ? html`${code} <span class="error">${text(error, 160)}</span>` : code;
}

export const link = (parts, label, className = "") =>
  html`<a href=${to(parts)} class=${className}>${label}</a>`;

export const endpointLink = (name, id = name) => link(["endpoints", id], text(name, 60));

/** A delivery by its event's place in the log. */
export const deliveryLink = ({ id, seq }, word = `#${seq}`) =>
  html`<a href=${to(["deliveries", id])} title=${id}>${word}</a>`;

/** What to do where nothing is, with the command that does it. */
export const empty = (words, command) => html`<div class="empty">
  <p>${words}</p>
  ${command ? html`<pre><code>${command}</code></pre>` : nothing}
</div>`;

/** One of a few, as links, so that each has an address. */
export function tabs(label, name, choices, chosen) {
  return html`<nav class="tabs" aria-label=${label}>
    ${choices.map(
      ([value, word]) => html`<a
        href=${turned({ [name]: value || undefined, cursor: undefined, offset: undefined })}
        aria-current=${(chosen ?? "") === value ? "true" : nothing}
        >${word}</a
      >`,
    )}
  </nav>`;
}

/** The way to the next part of a list, and back to its beginning. */
export function pager(next, cursor) {
  if (!next && !cursor) return nothing;
  return html`<nav class="pager" aria-label="Pages">
    ${cursor ? html`<a href=${turned({ cursor: undefined })}>Newest</a>` : nothing}
    ${next ? html`<a href=${turned({ cursor: next })} rel="next">Older</a>` : nothing}
  </nav>`;
}

/** A table that scrolls by itself where it is too wide, and can then be scrolled by keys. */
export const table = (label, heads, rows) => html`<div class="scroll" tabindex="0" role="region" aria-label=${label}>
  <table>
    <thead>
      <tr>${heads.map(([word, className]) => html`<th scope="col" class=${className ?? ""}>${word}</th>`)}</tr>
    </thead>
    <tbody>${rows}</tbody>
  </table>
</div>`;

/** Names and what they have. */
export const facts = (pairs) => html`<dl class="facts">
  ${pairs.filter(Boolean).map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}
</dl>`;

/** The page's head: focus goes to its heading when it is opened. */
export const heading = (title, ...beside) =>
  html`<div class="heading"><h1 tabindex="-1">${title}</h1>${beside}</div>`;
