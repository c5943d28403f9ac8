// The one door to the template library, lit-html 3.3.3 as npm has it, with its licence beside it: it
// changes what has changed and leaves the focus where it is. It writes values as text and attributes, never as markup, and
// the browser's Trusted Types (see pages.rs) forbid everybody else to.
export { html, svg, nothing, render } from "./lit/lit-html.js";
export { repeat } from "./lit/directives/repeat.js";
