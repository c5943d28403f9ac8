// One delivery: where it is and why, attempt by attempt, and what its signature is made of.
import { html, nothing } from "../html.js";
import { get, part } from "../api.js";
import { attempts, eventOf, giveUpButton, retryButton } from "../deliveries.js";
import { count, local, visible } from "../format.js";
import { badge, due, endpointLink, facts, heading, sentence, text } from "../parts.js";

export function delivery({ parts }, app) {
  const id = parts[1];
  let delivery = null;

  async function load(signal) {
    delivery = await get(`deliveries/${part(id)}`, {}, signal);
  }

  function view() {
    return html`
      ${heading(`Delivery of #${delivery.seq}`, badge(delivery.status), html`<div class="actions">${retryButton(delivery, app)} ${giveUpButton(delivery, app)}</div>`)}
      <p class="url"><code>${delivery.id}</code></p>
      <section class="why ${COLOURS[delivery.status] ?? ""}" aria-labelledby="why">
        <h2 id="why">Why it is where it is</h2>
        <p>${sentence(delivery.explanation)}</p>
        ${delivery.rule ? html`<p class="quiet">Rule: ${text(delivery.rule)}</p>` : nothing}
      </section>
      ${facts([
        ["Event", eventOf(delivery)],
        ["Endpoint", endpointLink(delivery.endpoint, delivery.endpoint_id)],
        ["Attempts", count(delivery.attempt_count)],
        ["Next attempt", due(delivery.next_attempt_at)],
      ])}
      <section aria-labelledby="attempts">
        <h2 id="attempts">Attempts</h2>
        ${attempts(delivery)}
      </section>
      ${delivery.signing ? signing(delivery.signing) : nothing}`;
  }

  return { title: "Delivery", every: 3_000, load, view };
}

/** Of what somebody may have to do something about. */
const COLOURS = { waiting: "bad", dead: "dead" };

function signing(signing) {
  const base = signing.base_string ?? signing.base_string_begins ?? signing.base_string_base64;
  const cut = signing.base_string === undefined;
  return html`<section aria-labelledby="signing">
    <h2 id="signing">Signature of attempt ${signing.attempt}</h2>
    ${facts([
      ["Header", html`<code>${signing.header}</code>`],
      ["Value", signing.value ? html`<code class="long">${visible(signing.value)}</code>` : "none: the endpoint has no key"],
      ["Algorithm", signing.algorithm],
      ["Over", signing.over],
      ["Timestamp", visible(signing.timestamp)],
      ["At", html`<time datetime=${signing.at} title=${signing.at}>${local(signing.at)}</time>`],
    ])}
    <details>
      <summary>What is signed, ${count(signing.base_string_bytes)} bytes</summary>
      <pre class="body">${visible(base)}</pre>
      ${cut ? html`<p class="quiet">This is its beginning${signing.base_string_base64 === undefined ? "" : ", in base64"}.</p>` : nothing}
    </details>
  </section>`;
}
