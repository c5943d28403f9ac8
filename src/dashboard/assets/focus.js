// Where the focus goes when what had it is gone, as a button is that has done its work: who uses the
// keyboard alone would have to begin again at the top of the page.

/** Has `draw` draw `main` anew; the focus stays in the row where it was, or goes to the one that moved up. */
export function keepFocus(main, draw) {
  const had = document.activeElement;
  const wasInside = main !== had && main.contains(had);
  const row = had?.closest("tbody tr");
  const rows = () => [...main.querySelectorAll("tbody tr")];
  const at = row && rows().indexOf(row);
  draw();
  if (!wasInside || (had.isConnected && !had.disabled)) return;
  const next = row?.isConnected ? row : row && rows().slice(0, at + 1).at(-1);
  const alike = next?.querySelector(had.localName) ?? next?.querySelector("a");
  (alike ?? main.querySelector("h1"))?.focus({ preventScroll: !alike });
}

/** To the heading, if it is nowhere: what a dialog was opened from may be gone when it is closed. */
export function findFocus() {
  if (document.activeElement !== document.body) return;
  document.querySelector("#main h1")?.focus({ preventScroll: true });
}
