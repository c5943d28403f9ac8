// What needs somebody, the worst first, each with its mend.
import { html, nothing, repeat } from "./html.js";
import { resume, retry, retryWaiting, send } from "./actions.js";
import { count, counted, line, size } from "./format.js";
import { due, endpointLink, outcome, time, told } from "./parts.js";
import { to } from "./router.js";
import { diskIsLow, lastStatus } from "./status.js";

/** `worst`: the first few of the endpoints that are not well. */
export function attention(worst, totals, app) {
  const { store } = lastStatus();
  const others = totals.failing + totals.paused + totals.dead_letters + totals.retrying - worst.length;
  const nothingIs = worst.length === 0 && !store.stopped && !diskIsLow(store);
  if (nothingIs) {
    return totals.endpoints
      ? html`<p class="calm"><span class="badge good">all well</span> Nothing needs you.</p>`
      : nothing;
  }
  return html`<section class="attention" aria-labelledby="attention">
    <h2 id="attention">Needs attention</h2>
    <ul>
      ${store.stopped ? html`<li class="bad"><span>The store has stopped: ${store.stopped}. Nothing is taken in or delivered until the server is started again.</span></li>` : nothing}
      ${diskIsLow(store) ? disk(store) : nothing}
      ${repeat(worst, (endpoint) => endpoint.id, (endpoint) => item(endpoint, app))}
    </ul>
    ${others > 0 ? html`<p class="quiet">and ${counted(others, "other endpoint")} in the list below</p>` : nothing}
  </section>`;
}

function disk(store) {
  return html`<li class="bad"><span>The disk has ${size(store.free_bytes)} left. Below ${size(store.reserve_bytes)} no event is taken (507). Make room, or move the data directory to a larger disk.</span></li>`;
}

function item(endpoint, app) {
  const name = html`<b>${endpointLink(endpoint.name, endpoint.id)}</b>`;
  const failure = endpoint.last_failure;
  const last = failure ? html`: ${outcome(failure.status, failure.error, false)}` : nothing;
  switch (endpoint.health) {
    case "failing":
    case "retrying":
      return html`<li class=${endpoint.health === "failing" ? "bad" : "warn"}>
        <span>${name} ${endpoint.health === "failing" ? "fails" : "tries again"}${last}.
          <span class="quiet">${waiting(endpoint)}; the next attempt is ${due(endpoint.next_attempt_at)}.</span></span>
        ${button("Send test", () => send(endpoint, app), endpoint)}
        ${failure ? again(endpoint, app) : nothing}
        ${failure ? html`<a class="button" href=${to(["deliveries", failure.delivery_id])} aria-label="Why: ${endpoint.name}">Why</a>` : nothing}
      </li>`;
    case "paused":
      return html`<li class="warn">
        <span>${name} is paused${endpoint.state_reason ? html`: ${told(line(endpoint.state_reason, 160))}` : ""}. <span class="quiet">${waiting(endpoint)}.</span></span>
        ${button("Resume", () => resume(endpoint, app), endpoint)}
      </li>`;
    default:
      return html`<li class="warn">
        <span>${name} has ${counted(endpoint.dead, "dead letter")}${last}.</span>
        <a class="button" href=${to(["dead"], { endpoint: endpoint.name })} aria-label="Look and replay: ${endpoint.name}">Look and replay</a>
      </li>`;
  }
}

/**
 * One alone is retried at once, as is the head of a queue in order, whose concurrency is 1; where several
 * wait each for a retry of its own, all are, after a question.
 */
function again(endpoint, app) {
  const { backlog, concurrency, last_failure: failure, name } = endpoint;
  const isOne = backlog === 1 || concurrency === 1;
  if (isOne) return button("Retry now", () => retry({ id: failure.delivery_id, endpoint: name }, app), endpoint);
  return button("Retry all …", () => retryWaiting(endpoint, app), endpoint);
}

function waiting({ backlog, oldest_waiting_at }) {
  if (backlog === 0) return "Nothing waits for it";
  const words = backlog === 1 ? "1 delivery waits" : `${count(backlog)} deliveries wait`;
  return html`${words}, the oldest came ${time(oldest_waiting_at)}`;
}

const button = (word, action, { name }) =>
  html`<button @click=${action} aria-label="${word}: ${name}">${word}</button>`;
