// The one dialog. The browser keeps the focus in it, and gives it back when it closes.
import { html, nothing, render } from "./html.js";
import { findFocus } from "./focus.js";

const element = document.getElementById("dialog");
let settle = null;

element.addEventListener("close", () => {
  settle?.(element.returnValue === "yes" ? read() : null);
  settle = null;
  render(nothing, element);
  findFocus();
});

// A question that belongs to a page goes with it.
addEventListener("hashchange", ({ oldURL, newURL }) => {
  const page = (url) => url.split("?", 1)[0];
  if (element.open && page(oldURL) !== page(newURL)) element.close("no");
});

function read() {
  const form = element.querySelector("form");
  return Object.fromEntries(new FormData(form));
}

/**
 * Asks, and gives the fields of the form, or null where the answer is no.
 * `body` is what the form has in it, `yes` the button's label.
 */
export function ask({ title, body, yes, danger = false }) {
  // One that is open gives way; its event of closing would come too late, to the next one.
  settle?.(null);
  element.returnValue = "";
  render(
    html`<form method="dialog" aria-labelledby="dialog-title">
      <h2 id="dialog-title">${title}</h2>
      ${body}
      <p class="actions">
        ${yes ? html`<button value="yes" class=${danger ? "danger" : "primary"}>${yes}</button>` : nothing}
        <button value="no" type="submit" formnovalidate>${yes ? "Cancel" : "Close"}</button>
      </p>
    </form>`,
    element,
  );
  element.setAttribute("aria-labelledby", "dialog-title");
  if (element.open) element.querySelector("button, input").focus();
  else element.showModal();
  return new Promise((resolve) => {
    settle = resolve;
  });
}

/** Shows something until it is closed. */
export function tell(title, body) {
  return ask({ title, body, yes: null });
}

/** A dialog that is drawn again while it is open: gives the function that draws its body. */
export function follow(title, body) {
  const closed = tell(title, html`<div id="dialog-body"></div>`);
  const draw = (content) => {
    const place = document.getElementById("dialog-body");
    if (place) render(content, place);
  };
  draw(body);
  return { draw, closed };
}

export const isOpen = () => element.open;
