// Light or dark: the system's wish, unless somebody has chosen. Not a module, so that it runs before
// the first paint.
"use strict";
{
  const root = document.documentElement;
  let chosen = null;
  try {
    chosen = localStorage.getItem("theme");
  } catch {
    // Storage is switched off: the system's wish it is.
  }
  if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
}
