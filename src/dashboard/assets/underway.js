// Bulk operations that go on by themselves, whoever began them: how far each is, and a way to stop it.
import { html, nothing, repeat } from "./html.js";
import { get } from "./api.js";
import { count, local } from "./format.js";
import { text } from "./parts.js";
import { nowDoing, stop } from "./tasks.js";

const SHOWN_MAX = 5;

/** Those that go on; counting alone changes nothing and is over soon. */
export async function loadUnderway(signal) {
  const { data } = await get("tasks", { state: "running", limit: SHOWN_MAX }, signal);
  return data.filter((task) => !task.dry_run);
}

export function underway(tasks, app) {
  if (tasks.length === 0) return nothing;
  return html`<section class="underway" aria-labelledby="underway">
    <h2 id="underway">Under way</h2>
    <ul>${repeat(tasks, ({ id }) => id, (task) => item(task, app))}</ul>
  </section>`;
}

function item(task, app) {
  const { id, kind, done, total, progress, created_at: at } = task;
  const words = `${nowDoing(kind)} ${count(done)}${total === null ? "" : ` of ${count(total)}`}`;
  return html`<li>
    <span>${words}${which(task.request)} <span class="quiet">begun ${local(at)}</span></span>
    <progress max="1" .value=${progress} aria-label="${words}: the part of the log that is done"></progress>
    <button aria-label="Stop: ${words}" @click=${() => stop(id).then(app.refresh)}>Stop</button>
  </li>`;
}

function which({ endpoint, type, status }) {
  const kinds = status === "dead" ? " dead letters" : " deliveries";
  return html`${kinds}${endpoint ? html` of ${text(endpoint, 60)}` : " of every endpoint"}${type ? html`, of type ${text(type, 60)}` : nothing}`;
}
