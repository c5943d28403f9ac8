// Pieces that every page is made of.
import { html, nothing, repeat } from "./html.js";
import { clockNow } from "./status.js";
import { count, line, local, relative, visible } from "./format.js";
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

const KNOWN = /(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z|\b(?:dlv|evt|ep)_[0-9A-Z]{26}\b)/;

const PAGES_OF = { dlv: "deliveries", evt: "events", ep: "endpoints" };

/** The page of what has this id, if it is one. */
export function pageOfId(id) {
  const [, kind] = /^(dlv|evt|ep)_[0-9A-Z]{26}$/.exec(id) ?? [];
  return kind && to([PAGES_OF[kind], id]);
}

/** A text of the server's own: its moments in the reader's time zone, its ids as links. */
export const told = (value) => value.split(KNOWN).map((part, i) => (i % 2 ? known(part) : text(part)));

/** The same as a sentence. */
export const sentence = (words) => told(`${words.charAt(0).toUpperCase()}${words.slice(1)}.`);

function known(part) {
  const page = pageOfId(part);
  if (page) return html`<a href=${page}><code>${part}</code></a>`;
  return html`<time datetime=${part} title="${relative(part, clockNow())} (${part})">${local(part)}</time>`;
}

/** Whether an answer looks like success. That 204 is none to a policy that wants 200, only its end tells. */
export const looksGood = (status, error) => status >= 200 && status < 300 && !error;

/** What came back, or what went wrong; `isGood` where more is known than the answer. */
export function outcome(status, error, isGood = looksGood(status, error)) {
  if (status === null && !error) return html`<span class="quiet">–</span>`;
  const code = status === null ? nothing : html`<span class="code ${isGood ? "good" : "bad"}">${status}</span>`;
  return error ? html`${code} <span class="error">${text(error, 160)}</span>` : code;
}

export const link = (parts, label, className = "") =>
  html`<a href=${to(parts)} class=${className}>${label}</a>`;

export const endpointLink = (name, id = name) => link(["endpoints", id], text(name, 60));

/** How many dead letters an endpoint has, and the way to them; a removed one is known by its id alone. */
export const lettersOf = ({ id, name, state, dead }) =>
  html`<a class="letters" href=${to(["dead"], { endpoint: state === "removed" ? id : name })}>${count(dead)}</a>`;

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

/**
 * A table that scrolls by itself where it is too wide, and can then be scrolled by keys; on a phone its
 * rows are laid out as blocks, with the words of their columns. Of a column there is its word, the class
 * of its cells and what stands in its head where that is more than the word; `cells` gives what an item
 * has in each. The first column, behind that of boxes, heads the row.
 *
 * The roles are those of the elements: some browsers forget them when the display is another.
 */
export function table(label, columns, items, cells, key = (item) => item.id ?? item.name) {
  const first = columns[0][1] === "box" ? 1 : 0;
  const head = ([word, className = "", shown = word]) => html`<th scope="col" role="columnheader" class=${className}>${shown}</th>`;
  const cell = (content, i) => {
    const [word, className = ""] = columns[i];
    if (i === first) return html`<th scope="row" role="rowheader" class=${className}>${content}</th>`;
    return html`<td role="cell" class=${className} data-column=${word}>${content}</td>`;
  };
  const row = (item) => html`<tr role="row">${cells(item).map(cell)}</tr>`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${label}>
    <table role="table">
      <thead role="rowgroup"><tr role="row">${columns.map(head)}</tr></thead>
      <tbody role="rowgroup">${repeat(items, key, row)}</tbody>
    </table>
  </div>`;
}

/** The head of a column of buttons, which needs none for those who see them. */
export const ACTION = ["", "end", html`<span class="unseen">Action</span>`];

/** Names and what they have. */
export const facts = (pairs) => html`<dl class="facts">
  ${pairs.filter(Boolean).map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}
</dl>`;

/** A control of a filter with its label, which no line's end parts. */
export const field = (id, word, control) => html`<span class="field"><label for=${id}>${word}</label>${control}</span>`;

/** The page's head: focus goes to its heading when it is opened. */
export const heading = (title, ...beside) =>
  html`<div class="heading"><h1 tabindex="-1">${title}</h1>${beside}</div>`;
