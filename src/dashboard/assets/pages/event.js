// One event: what it is, its bytes, and where it has gone.
import { html, nothing } from "../html.js";
import { bytes, get, part } from "../api.js";
import { body } from "../body.js";
import { attempts, retryButton } from "../deliveries.js";
import { badge, deliveryLink, empty, endpointLink, facts, heading, pager, sentence, text, time } from "../parts.js";
import { to } from "../router.js";

export function event({ parts, query }, app) {
  const id = parts[1];
  let event = null;
  let content = null;
  let deliveries = null;

  async function load(signal) {
    // An event never changes: it is asked for once.
    if (!event) {
      [event, content] = await Promise.all([
        get(`events/${part(id)}`, {}, signal),
        bytes(`events/${part(id)}/body`, signal),
      ]);
    }
    deliveries = await get(`events/${part(id)}/deliveries`, { limit: 25, cursor: query.cursor }, signal);
  }

  function view() {
    return html`
      ${heading(text(event.type, 100))}
      <p class="url"><code>${event.id}</code></p>
      ${facts([
        ["Position", `#${event.seq}`],
        ["Source", text(event.source)],
        event.subject !== undefined && ["Subject", text(event.subject)],
        ["Happened", time(event.time)],
        ["Received", time(event.received_at)],
        ["Media type", text(event.content_type)],
        ["Alike", html`<a href=${to(["events"], { type: event.type })}>events of this type</a>`],
      ])}
      <section aria-labelledby="deliveries">
        <h2 id="deliveries">Deliveries</h2>
        ${deliveries.data.length
          ? deliveries.data.map(one)
          : empty("No endpoint selects this event. See which there are:", "redeliver endpoint list")}
        ${pager(deliveries.next, query.cursor)}
      </section>
      ${body(event, content, query.as)}`;
  }

  function one(delivery) {
    return html`<article class="delivery">
      <header>
        <h3>${endpointLink(delivery.endpoint, delivery.endpoint_id)}</h3>
        ${badge(delivery.status)} ${deliveryLink(delivery, "details")}
        <span class="actions">${retryButton(delivery, app)}</span>
      </header>
      <p>${sentence(delivery.explanation)}</p>
      ${delivery.attempt_count
        ? html`<details ?open=${delivery.status !== "delivered"}>
            <summary>Attempts: ${delivery.attempt_count}</summary>
            ${attempts(delivery)}
          </details>`
        : nothing}
    </article>`;
  }

  return { title: "Event", every: 3_000, load, view };
}
