// What stands above every page: where one can go, the clock, whether the server is there.
import { html, nothing, render } from "./html.js";
import { clockNow, lastStatus } from "./status.js";
import { brief, local, zone } from "./format.js";
import { help } from "./keys.js";
import { to } from "./router.js";

const PLACES = [
  [[], "Overview"],
  [["events"], "Events"],
  // A phone has no room for its second word.
  [["dead"], html`Dead<span class="rest"> letters</span>`],
  [["sources"], "Sources"],
  [["websites"], "Websites"],
];

/** Under which of them pages stand that are none of them. */
const WITHIN = { endpoints: undefined, deliveries: "events" };

const element = document.getElementById("bar");

/** Draws it: `place` is the first part of the present page's path, `lost` since when there is no server. */
export function drawBar(place, lost) {
  const status = lastStatus();
  const dead = status?.deliveries.dead ?? 0;
  const active = place in WITHIN ? WITHIN[place] : place;
  render(
    html`<div class="row">
        <a class="brand" href="#/"><span class="mark" aria-hidden="true">↩</span> redeliver</a>
        <nav aria-label="Pages">
          ${PLACES.map(
            ([parts, word]) => html`<a href=${to(parts)} aria-current=${active === parts[0] ? "page" : nothing}
              >${word}${parts[0] === "dead" && dead ? html` <span class="tally">${brief(dead)}</span>` : nothing}</a
            >`,
          )}
        </nav>
        <div class="tools">
          ${status ? clock(status) : nothing}
          <button class="bare" @click=${turnTheme} aria-label="Light or dark" title="Light or dark">◐</button>
          <button class="bare" @click=${help} aria-label="Keys" title="Keys (?)">?</button>
          ${document.body.dataset.login === "yes"
            ? html`<form method="post" action="logout"><button class="bare">Log out</button></form>`
            : nothing}
        </div>
      </div>
      <div role="status">
        ${lost ? html`<p class="lost">The server has not answered since ${local(lost)}. What you see is from before; asking again.</p>` : nothing}
      </div>`,
    element,
  );
}

function clock(status) {
  const words = { real: "", scaled: status.clock.speed, manual: "manual" };
  const now = new Date(clockNow()).toISOString();
  const [day, hour] = local(now).split(" ");
  return html`<span class="clock" title="The broker’s clock, in your time zone (${now})"
    ><span class="day">${day}</span> ${hour} <span class="zone">${zone(now)}</span>
    ${words[status.clock.kind] ? html`<b>${words[status.clock.kind]}</b>` : nothing}</span
  >`;
}

function turnTheme() {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const now = root.dataset.theme ?? (dark ? "dark" : "light");
  root.dataset.theme = now === "dark" ? "light" : "dark";
  try {
    localStorage.setItem("theme", root.dataset.theme);
  } catch {
    // Storage is switched off: it lasts until the page is loaded again.
  }
}
