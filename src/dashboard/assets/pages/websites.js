// Websites whose events are counted here, as their visitors are at this moment.
import { html, nothing } from "../html.js";
import { get } from "../api.js";
import { count } from "../format.js";
import { empty, heading, text } from "../parts.js";

const WEBSITE = `[[website]]
id = "ws_abc123"
tracking_code = "ZV_XXXXXXXXXXX"
domain = "example.com"
sources = ["api"]`;

/** Names of the summary as people say them; what is not here is not shown. */
const FIGURES = [
  ["total_page_views", "Page views"],
  ["total_visitors", "Visits"],
  ["unique_visitors", "Unique visitors"],
  ["known_visitors", "Known"],
  ["anonymous_visitors", "Anonymous"],
];

export function websites() {
  let seen = null;

  async function load(signal) {
    seen = await get("websites", {}, signal);
  }

  function view() {
    return html`
      ${heading("Websites")}
      ${seen.data.length
        ? html`<div class="cards">${seen.data.map(card)}</div>`
        : empty("No website is configured. In redeliver.toml:", WEBSITE)}`;
  }

  return { title: "Websites", every: 3_000, load, view };
}

function card({ id, name, domain, tracking_code, live, summary }) {
  const known = FIGURES.filter(([figure]) => figure in summary);
  return html`<article class="card" aria-labelledby="website-${id}">
    <h2 id="website-${id}">${text(name)}</h2>
    <p class="quiet">${name === domain ? nothing : html`${text(domain)} · `}<code>${text(tracking_code)}</code></p>
    <p class="live-count"><b>${count(live)}</b> ${live === 1 ? "visitor" : "visitors"} now</p>
    <dl class="tiles">
      ${known.map(([figure, word]) => html`<div class="tile"><dt>${word}</dt><dd>${count(summary[figure])}</dd></div>`)}
    </dl>
    <p class="quiet">The last 24 hours.</p>
  </article>`;
}
