// Deliveries to all endpoints: what waits, what arrived, what was given up.
import { html } from "../html.js";
import { get } from "../api.js";
import { STATUSES, deliveriesTable } from "../deliveries.js";
import { empty, field, heading, pager, tabs } from "../parts.js";
import { turn } from "../router.js";

const PER_PAGE = 50;

export function deliveries({ query }, app) {
  const { status, endpoint, type, cursor } = query;
  let page = null;

  async function load(signal) {
    page = await get("deliveries", { status, endpoint, type, cursor, limit: PER_PAGE }, signal);
  }

  const narrow = (name) => (event) =>
    turn({ [name]: event.target.value.trim() || undefined, cursor: undefined });

  function view() {
    return html`
      ${heading("Deliveries", tabs("Status", "status", STATUSES, status))}
      <form class="filters" role="search" @submit=${(event) => event.preventDefault()}>
        ${field("endpoint", "Endpoint", html`<input id="endpoint" type="search" placeholder="name or id  /" .value=${endpoint ?? ""} @change=${narrow("endpoint")}>`)}
        ${field("type", "Type", html`<input id="type" type="search" placeholder="order.*" .value=${type ?? ""} @change=${narrow("type")}>`)}
      </form>
      ${page.data.length
        ? deliveriesTable(page.data, app, true)
        : empty(status || endpoint || type ? "No delivery is like that." : "Nothing is delivered yet: no endpoint has selected an event.")}
      ${pager(page.next, cursor)}`;
  }

  return { title: "Deliveries", every: 3_000, load, view };
}
