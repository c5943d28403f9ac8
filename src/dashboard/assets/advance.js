// The manual clock, moved by hand.
import { html, nothing } from "./html.js";
import { post } from "./api.js";
import { attempt } from "./notices.js";
import { counted, local } from "./format.js";
import { clockNow, lastStatus } from "./status.js";

/** A month of retries takes seconds. */
const PATIENCE_MS = 120_000;

const done = (hanging) => {
  if (hanging === 0) return "all that was due by then has happened";
  return `not ended yet: ${counted(hanging, "attempt")}, for which the receiver hangs; the time-out is later`;
};

/** The form, where the clock is a manual one; `next` is when the next attempt is due. */
export function advancer(app, next) {
  if (lastStatus().clock.kind !== "manual") return nothing;
  const advance = async (by) => {
    await attempt(
      () => post("clock/advance", { by }, PATIENCE_MS),
      (advanced) => `The clock is at ${local(advanced.now)}; ${done(advanced.in_flight)}`,
    );
    app.refresh();
  };
  const submitted = (event) => {
    event.preventDefault();
    return advance(new FormData(event.target).get("by"));
  };
  const left_ms = next ? Date.parse(next) - clockNow() : 0;
  return html`<section aria-labelledby="clock">
    <div class="section-head">
      <h2 id="clock">Manual clock</h2>
      <form class="inline" @submit=${submitted}>
        <label for="by">Advance by</label>
        <input id="by" name="by" value="1h" size="8" required aria-describedby="by-hint">
        <button>Advance</button>
        ${left_ms > 0 ? html`<button type="button" @click=${() => advance(`${left_ms}ms`)}>To the next attempt</button>` : nothing}
        <span id="by-hint" class="quiet">such as 30s, 38m30s, 1h, 7d</span>
      </form>
    </div>
  </section>`;
}
