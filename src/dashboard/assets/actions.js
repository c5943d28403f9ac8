// What an operator does to an endpoint or a delivery.
import { html } from "./html.js";
import { part, post } from "./api.js";
import { ask, tell } from "./dialog.js";
import { counted, duration, line, visible } from "./format.js";
import { attempt, failed } from "./notices.js";
import { facts, outcome } from "./parts.js";

const at = (endpoint, verb) => `endpoints/${part(endpoint.id)}/${verb}`;

export async function resume(endpoint, app) {
  await attempt(() => post(at(endpoint, "resume")), `${line(endpoint.name)} is resumed`);
  app.refresh();
}

export async function pause(endpoint, app) {
  const body = html`<p>Nothing is sent to it until it is resumed. Events go on queueing, and none is lost.</p>`;
  const sure = await ask({ title: `Pause ${line(endpoint.name)}?`, body, yes: "Pause" });
  if (!sure) return;
  await attempt(() => post(at(endpoint, "pause")), `${line(endpoint.name)} is paused`);
  app.refresh();
}

/** Longer than any receiver may take, unless its endpoint says otherwise. */
const TEST_MS = 120_000;

/** The vendor's test message, now; shows what came back. */
export async function send(endpoint, app) {
  const tested = await attempt(() => post(at(endpoint, "test"), {}, TEST_MS));
  if (!tested) return;
  const { delivered, attempt: made } = tested;
  await tell(
    delivered ? "The test message arrived" : "The test message did not arrive",
    html`${facts([
        ["Sent to", html`<bdi>${visible(endpoint.url)}</bdi>`],
        ["Answer", outcome(made.status, made.error, delivered)],
        ["Took", duration(made.duration_ms)],
      ])}
      ${made.response_excerpt ? html`<h3>What it said</h3><pre class="body">${visible(made.response_excerpt)}</pre>` : ""}`,
  );
  app.refresh();
}

export async function rotateKey(endpoint, app) {
  const body = html`<p>From the next attempt on, requests are signed with the new key. Give it to the receiver first. It is not shown again.</p>
    <label for="key">New signing key</label>
    <input id="key" name="key" type="password" autocomplete="off" required>`;
  const given = await ask({ title: `Rotate the key of ${line(endpoint.name)}`, body, yes: "Rotate" });
  if (!given) return;
  await attempt(
    () => post(at(endpoint, "rotate-key"), { signing_key: given.key }),
    `${line(endpoint.name)} signs with the new key`,
  );
  app.refresh();
}

/** Everything that waits for a retry, now. */
export async function retryWaiting(endpoint, app) {
  const body = html`<p>Everything that waits for a retry is due now, in its order, and begins its schedule anew. Nothing leaves faster than the endpoint’s concurrency allows.</p>`;
  const sure = await ask({ title: `Retry all that waits for ${line(endpoint.name)}?`, body, yes: "Retry all" });
  if (!sure) return;
  await attempt(
    () => post(at(endpoint, "retry")),
    ({ retried }) => `${counted(retried, "delivery is", "deliveries are")} due now`,
  );
  app.refresh();
}

/** Makes one delivery a dead letter, so that what is behind it goes on. */
export async function giveUp(delivery, app) {
  const body = html`<p>It becomes a dead letter without another attempt, and what waits behind it goes on. It can be put back.</p>
    <label for="reason">Why, for its history (may be empty)</label>
    <input id="reason" name="reason" maxlength="200" autocomplete="off">`;
  const given = await ask({ title: `Give up #${delivery.seq} to ${line(delivery.endpoint)}?`, body, yes: "Give up", danger: true });
  if (!given) return;
  const reason = given.reason.trim();
  await attempt(
    () => post(`deliveries/${part(delivery.id)}/give-up`, reason ? { reason } : {}),
    "Given up: it is a dead letter now",
  );
  app.refresh();
}

/** Puts one delivery back, due now. */
export async function retry(delivery, app) {
  await attempt(
    () => post(`deliveries/${part(delivery.id)}/retry`),
    `Put back: what failed at ${line(delivery.endpoint)} is due now`,
  );
  app.refresh();
}

/**
 * `retry` or `discard` several, one after the other; `tell` is given how many are done. Gives how many
 * that was.
 */
export async function actOnAll(verb, deliveries, tell) {
  let done = 0;
  for (const delivery of deliveries) {
    try {
      await post(`deliveries/${part(delivery.id)}/${verb}`);
      done += 1;
    } catch (error) {
      // One that has moved meanwhile is no reason to leave the others.
      if (error.status !== 409) {
        failed(error.message);
        break;
      }
    }
    tell(done);
  }
  return done;
}
