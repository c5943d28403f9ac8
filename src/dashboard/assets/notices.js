// What was done, and what could not be: a few short lines that a screen reader speaks politely.
import { html, render, repeat } from "./html.js";

const SHOWN_MS = 6_000;
const SHOWN_MAX = 4;

const element = document.getElementById("notices");
let notices = [];
let number = 0;

function draw() {
  const one = (notice) => html`<p class=${notice.kind}>
    <span>${notice.text}</span>
    <button class="bare" aria-label="Dismiss" @click=${() => drop(notice.id)}>×</button>
  </p>`;
  render(repeat(notices, (notice) => notice.id, one), element);
}

function drop(id) {
  notices = notices.filter((notice) => notice.id !== id);
  draw();
}

function add(kind, text) {
  const id = (number += 1);
  notices = [...notices, { id, kind, text }].slice(-SHOWN_MAX);
  draw();
  // An error stays until it was read.
  if (kind === "done") setTimeout(() => drop(id), SHOWN_MS);
}

export const done = (text) => add("done", text);
export const failed = (text) => add("failed", text);

/** Runs an action, and tells how it went. */
export async function attempt(action, success) {
  try {
    const result = await action();
    if (success) done(typeof success === "function" ? success(result) : success);
    return result;
  } catch (error) {
    failed(error.message);
    return undefined;
  }
}
