// Deliveries as tables and as steps.
import { html, nothing } from "./html.js";
import { giveUp, retry } from "./actions.js";
import { count, duration, line, local, visible } from "./format.js";
import { ACTION, badge, deliveryLink, due, endpointLink, looksGood, outcome, table, text } from "./parts.js";

/** Those that can be put back. */
export const isRetriable = ({ status, last_error: error }) =>
  ["waiting", "dead", "delivered"].includes(status) || (status === "removed" && error?.startsWith("not attempted: discarded"));

/** Whether this attempt of it was a success: what has just failed it was none, nor was its like before. */
function succeeded({ status, error }, delivery) {
  const hasFailed = ["waiting", "dead"].includes(delivery.status) && !delivery.given_up?.length;
  return looksGood(status, error) && !(hasFailed && status === delivery.last_status);
}

/** What its last attempt came to. */
export function lastAnswer(delivery) {
  const { last_status: status, last_error: error } = delivery;
  return outcome(status, error, succeeded({ status, error }, delivery));
}

/** What a list of them may be narrowed to. */
export const STATUSES = [
  ["", "All"],
  ["waiting", "Waiting to retry"],
  ["pending,in_flight", "Pending"],
  ["delivered", "Delivered"],
  ["dead", "Dead letters"],
  ["removed", "Removed"],
];

/** Those of one endpoint, or of several, who are then told; without an `app` none can be put back. */
export function deliveriesTable(deliveries, app, ofSeveral = false) {
  const columns = [
    ["Delivery"],
    ["Event", "name lead"],
    ...(ofSeveral ? [["Endpoint", "name"]] : []),
    ["Status", "state"],
    ["Attempts", "number"],
    ["Last answer", "wide"],
    ["Next attempt"],
    ...(app ? [ACTION] : []),
  ];
  const cells = (delivery) => [
    deliveryLink(delivery),
    eventOf(delivery),
    ...(ofSeveral ? [endpointLink(delivery.endpoint, delivery.endpoint_id)] : []),
    badge(delivery.status),
    count(delivery.attempt_count),
    lastAnswer(delivery),
    due(delivery.next_attempt_at),
    ...(app ? [retryButton(delivery, app)] : []),
  ];
  return table("Deliveries", columns, deliveries, cells);
}

export const eventOf = (delivery) =>
  html`<a href="#/events/${delivery.event_id}">${text(delivery.event_type, 60)}</a>`;

export function retryButton(delivery, app) {
  if (!isRetriable(delivery)) return nothing;
  const word = delivery.status === "delivered" ? "Send again" : "Retry now";
  return html`<button @click=${() => retry(delivery, app)} aria-label="${word}: #${delivery.seq} to ${line(delivery.endpoint, 60)}">${word}</button>`;
}

/** For what is queued: what waits behind it goes on. */
export function giveUpButton(delivery, app) {
  if (!["pending", "waiting"].includes(delivery.status)) return nothing;
  return html`<button @click=${() => giveUp(delivery, app)}>Give up …</button>`;
}

/** Each attempt with what came back. */
export function attempts(delivery) {
  const ends = delivery.given_up ?? [];
  if (delivery.attempts.length + ends.length === 0) {
    const hasExpired = delivery.attempt_count > 0 || ["delivered", "dead"].includes(delivery.status);
    return html`<p class="quiet">${hasExpired ? "The records of its attempts have expired." : "Nothing was sent yet."}</p>`;
  }
  const left = delivery.attempt_count - delivery.attempts.length;
  return html`${left > 0 ? html`<p class="quiet">and ${count(left)} before these</p>` : nothing}
    <ol class="attempts">
      ${delivery.attempts.map(
        (attempt, i, all) => html`<li class=${succeeded(attempt, delivery) ? "good" : "bad"}>
          <span class="step">Attempt ${attempt.number}</span>
          <time datetime=${attempt.started_at} title=${attempt.started_at}>${local(attempt.started_at)}</time>
          ${outcome(attempt.status, attempt.error, succeeded(attempt, delivery))} <span class="quiet">in ${duration(attempt.duration_ms)}</span>
          ${excerpt(attempt, all[i - 1])}
          ${(attempt.faults ?? []).length ? html`<p class="quiet">Faults on purpose: ${visible(JSON.stringify(attempt.faults))}</p>` : nothing}
          ${attempt.request ? headersOf(attempt) : nothing}
        </li>`,
      )}
      ${ends.map(
        ({ at, reason }) => html`<li class="dead">
          <span class="step">Given up</span>
          <time datetime=${at} title=${at}>${local(at)}</time>
          <span class="error">${text(reason)}</span>
        </li>`,
      )}
    </ol>`;
}

function excerpt({ response_excerpt: said }, before) {
  if (!said) return nothing;
  if (said === before?.response_excerpt) return html`<span class="quiet">and the same answer</span>`;
  return html`<pre class="excerpt">${visible(said)}</pre>`;
}

/** What was sent, where the server records it. */
function headersOf({ request, response }) {
  const lines = (headers) =>
    (Array.isArray(headers) ? headers : Object.entries(headers)).map(([name, value]) => `${name}: ${value}`).join("\n");
  return html`<details>
    <summary>Request and answer</summary>
    <pre class="body">${visible(`${request.method} ${request.url}\n${lines(request.headers)}`)}</pre>
    ${response ? html`<pre class="body">${visible(`${response.status}\n${lines(response.headers)}`)}</pre>` : nothing}
  </details>`;
}
