// Bulk replays: counted first, then done, with a bar.
import { html, nothing } from "./html.js";
import { get, part, post } from "./api.js";
import { ask, follow } from "./dialog.js";
import { count, counted } from "./format.js";
import { attempt, done, failed } from "./notices.js";

const EVERY_MS = 300;

const pause = () => new Promise((resolve) => setTimeout(resolve, EVERY_MS));

/** Starts a task and waits for its end; `tell` is given the task again and again. */
async function run(request, tell) {
  let task = await post("tasks", { kind: "replay", ...request });
  while (task.state === "running" && tell(task)) {
    await pause();
    task = await get(`tasks/${part(task.id)}`);
  }
  return task;
}

/**
 * Asks for nothing that was not counted: a dry run, the question, the replay.
 * `what` says in words what is replayed.
 */
export async function replay(request, what, app) {
  const counting = follow("Replay", html`<p>Counting ${what} …</p><progress aria-label="Counting"></progress>`);
  let wanted = true;
  counting.closed.then(() => (wanted = false));
  const dry = await attempt(() => run({ ...request, dry_run: true }, () => wanted));
  if (!dry || !wanted) return;
  if (dry.state !== "done") return failed(dry.error ?? "the count has not ended");
  const found = counted(dry.matched, "delivery", "deliveries");
  if (dry.matched === 0) {
    counting.draw(html`<p>There is nothing to put back.</p>`);
    return;
  }
  const body = html`<p>This puts back <b>${found}</b>: ${what}. Each is due now, and is attempted from the start of its schedule.</p>
    <p class="quiet">Receivers may see again what they have seen. Nothing leaves faster than the endpoint’s concurrency allows.</p>`;
  const sure = await ask({ title: "Replay", body, yes: `Put back ${found}` });
  if (sure) await watch(request, dry.matched, app);
}

async function watch(request, expected, app) {
  let task = null;
  const view = () => html`
    <p aria-live="polite">${task?.state === "running" ? "Putting back" : "Put back"} <b>${count(task?.done ?? 0)}</b> of ${count(expected)}</p>
    <progress max=${expected} value=${task?.done ?? 0} aria-label="Put back"></progress>
    ${task?.state === "running"
      ? html`<p class="quiet">It goes on when this is closed, and after a restart of the server.</p>
          <button type="button" @click=${() => attempt(() => post(`tasks/${part(task.id)}/cancel`), "Cancelled; what was put back stays so")}>Stop here</button>`
      : nothing}`;
  const shown = follow("Replay", view());
  const tell = (now) => {
    task = now;
    shown.draw(view());
    return true;
  };
  const ended = await attempt(() => run(request, tell));
  if (!ended) return;
  tell(ended);
  if (ended.state === "done") done(`Put back ${counted(ended.done, "delivery", "deliveries")}`);
  else failed(ended.error ?? `the replay was ${ended.state}`);
  app.refresh();
}
