// The start: the page that the address names, drawn again as often as it wishes.
//
//   address ─▶ router ─▶ page(params) ─▶ load (asks the API) ─▶ view (a template) ─▶ the document
//                             ▲                                      │
//                             └────────── refresh, actions ◀─────────┘
//
// A page is a function of its place: `(place, app) => ({ title, every, load, view, hide?, close? })`. What it
// has loaded it keeps to itself; `app.draw()` shows it again, `app.refresh()` loads it anew.
import { html, nothing, render } from "./html.js";
import { Refused, Unreachable } from "./api.js";
import { drawBar } from "./bar.js";
import { loadStatus } from "./status.js";
import { here } from "./router.js";
import { keepFocus } from "./focus.js";
import { heading, told } from "./parts.js";
import "./keys.js";
import { overview } from "./pages/overview.js";
import { endpoint } from "./pages/endpoint.js";
import { events } from "./pages/events.js";
import { event } from "./pages/event.js";
import { deliveries } from "./pages/deliveries.js";
import { delivery } from "./pages/delivery.js";
import { dead } from "./pages/dead.js";
import { sources } from "./pages/sources.js";
import { websites } from "./pages/websites.js";

/** How long to wait for a server that is away, the longest. */
const AWAY_MS = 5_000;

/** How many times as long as it takes to ask, nothing is asked: a busy server has better things to do. */
const REST = 5;

const PAGES = { events, deliveries, dead, sources, websites };
const ITEMS = { endpoints: endpoint, events: event, deliveries: delivery };

const main = document.getElementById("main");
main.replaceChildren();

let place = null;
let page = null;
let asking = null;
let timer = 0;
let lost = null;
let problem = null;
let loaded = false;

function pageOf({ parts }) {
  if (parts.length === 0) return overview;
  if (parts.length === 1) return PAGES[parts[0]] ?? nowhere;
  return (parts.length === 2 && ITEMS[parts[0]]) || nowhere;
}

const nowhere = () => ({
  title: "Nothing here",
  load: async () => {},
  view: () => html`${heading("Nothing here")}<p>There is no such page. <a href="#/">To the overview</a></p>`,
});

const app = { draw, refresh };

/** Opens what the address names; the same page with another query keeps the focus where it is. */
async function open() {
  const before = place;
  place = here();
  const same = before && before.parts.join("/") === place.parts.join("/");
  page?.close?.();
  page = pageOf(place)(place, app);
  problem = null;
  loaded = false;
  document.title = `${page.title} – redeliver`;
  const opened = page;
  if (!same) main.setAttribute("aria-busy", "true");
  await refresh();
  if (page !== opened || same) return;
  scrollTo(0, 0);
  main.querySelector("h1")?.focus({ preventScroll: true });
}

/** Loads and draws, and does so again by and by. */
async function refresh() {
  clearTimeout(timer);
  asking?.abort();
  asking = new AbortController();
  const { signal } = asking;
  const shown = page;
  const began = performance.now();
  try {
    await Promise.all([loadStatus(signal), shown.load(signal)]);
    if (signal.aborted) return;
    lost = null;
    problem = null;
    loaded = true;
  } catch (error) {
    if (signal.aborted) return;
    if (error instanceof Unreachable) lost ??= new Date();
    else problem = error;
    // A mistake of ours, which the next look may not make again.
    if (!(error instanceof Unreachable || error instanceof Refused)) console.error(error);
  }
  draw();
  const wait = lost ? AWAY_MS : shown.every && Math.max(shown.every, REST * (performance.now() - began));
  if (wait) timer = setTimeout(() => !document.hidden && refresh(), wait);
}

function draw() {
  drawBar(place.parts[0], lost);
  main.removeAttribute("aria-busy");
  main.classList.toggle("stale", Boolean(lost));
  const wrong = problem ? html`<p class="problem" role="alert">${told(problem.message)}</p>` : nothing;
  const waiting = problem ? nothing : html`<p class="quiet">Waiting for the server …</p>`;
  const shown = loaded ? page.view() : html`${heading(page.title)}${waiting}`;
  keepFocus(main, () => render(html`${shown}${wrong}`, main));
}

addEventListener("hashchange", open);
document.addEventListener("visibilitychange", () => (document.hidden ? page?.hide?.() : refresh()));
// The clock in the bar goes on between two answers.
setInterval(() => !document.hidden && place && drawBar(place.parts[0], lost), 1_000);
open();
