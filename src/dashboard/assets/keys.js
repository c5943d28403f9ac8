// Keys for those who leave the mouse alone.
import { html } from "./html.js";
import { isOpen, tell } from "./dialog.js";
import { go } from "./router.js";

/** Behind `g`, within a second. */
const PLACES = {
  o: ["#/", "Overview"],
  e: ["#/events", "Events"],
  l: ["#/deliveries", "Deliveries to all endpoints"],
  d: ["#/dead", "Dead letters"],
  s: ["#/sources", "Sources, alerts and faults"],
  w: ["#/websites", "Websites"],
};

const WAIT_MS = 1_000;

let pressedG = 0;

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isOpen()) return;
  if (event.target.closest("input, textarea, select")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const place = PLACES[event.key];
  if (place && event.timeStamp - pressedG < WAIT_MS) {
    go(place[0]);
  } else if (event.key === "?") {
    help();
  } else if (event.key === "/") {
    const field = document.querySelector("#main input[type=search]");
    if (!field) return;
    field.focus();
  } else if (event.key === "p") {
    document.getElementById("pause-tail")?.click();
  } else {
    pressedG = event.key === "g" ? event.timeStamp : 0;
    return;
  }
  pressedG = 0;
  event.preventDefault();
});

// A fragment is the address of a page here, so the skip link must not become one.
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  document.getElementById("main").focus();
});

export function help() {
  const keys = [
    ...Object.entries(PLACES).map(([key, [, word]]) => [["g", key], word]),
    [["/"], "The page’s search field"],
    [["p"], "Pause or resume the live events"],
    [["?"], "This list"],
    [["Esc"], "Close a dialog, leave a field"],
  ];
  const key = (name) => html`<kbd>${name}</kbd>`;
  tell(
    "Keys",
    html`<dl class="keys">
      ${keys.map(([all, word]) => html`<div><dt>${all.map(key)}</dt><dd>${word}</dd></div>`)}
    </dl>`,
  );
}
