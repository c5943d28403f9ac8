// Bulk operations: counted first, then done, with a bar.
import { html, nothing } from "./html.js";
import { get, part, post } from "./api.js";
import { ask, follow } from "./dialog.js";
import { count, counted } from "./format.js";
import { attempt, done, failed } from "./notices.js";

const EVERY_MS = 300;

const pause = () => new Promise((resolve) => setTimeout(resolve, EVERY_MS));

/** How each kind is spoken of. */
const KINDS = {
  replay: {
    title: "Replay",
    verb: "Put back",
    past: "Put back",
    now: "Putting back",
    question: "puts back",
    what: "Each is due now, and is attempted from the start of its schedule.",
    warning: "Receivers may see again what they have seen. Nothing leaves faster than the endpoint’s concurrency allows.",
    nothing: "There is nothing to put back.",
  },
  discard: {
    title: "Discard",
    verb: "Discard",
    past: "Discarded",
    now: "Discarding",
    question: "discards",
    what: "They are not attempted any more, and leave this list.",
    warning: "They can be read as before, under the status removed, and retried one by one.",
    nothing: "There is nothing to discard.",
    danger: true,
  },
};

/** The question that comes before anything is done to `found` deliveries; `what` says which. */
export function confirm(kind, found, what) {
  const words = KINDS[kind];
  const many = counted(found, "delivery", "deliveries");
  const body = html`<p>This ${words.question} <b>${many}</b>${what ? html`: ${what}` : nothing}. ${words.what}</p>
    ${what || words.danger ? html`<p class="quiet">${words.warning}</p>` : nothing}`;
  return ask({ title: words.title, body, yes: `${words.verb} ${many}`, danger: words.danger });
}

/** What has been done, in words. */
export const past = (kind, many) => `${KINDS[kind].past} ${counted(many, "delivery", "deliveries")}`;

/** What is being done, in words. */
export const nowDoing = (kind) => KINDS[kind].now;

/** Ends a task; what it has done stays done. */
export const stop = (id) => attempt(() => post(`tasks/${part(id)}/cancel`), "Cancelled; what was done stays done");

/** How far it has come. */
export const bar = (kind, now, expected, isRunning) => html`
  <p aria-live="polite">${isRunning ? KINDS[kind].now : KINDS[kind].past} <b>${count(now)}</b> of ${count(expected)}</p>
  <progress max=${expected} value=${now} aria-label=${KINDS[kind].past}></progress>`;

/** Starts a task and waits for its end; `tell` is given the task again and again. */
async function run(request, tell) {
  let task = await post("tasks", request);
  while (task.state === "running" && tell(task)) {
    await pause();
    task = await get(`tasks/${part(task.id)}`);
  }
  return task;
}

/**
 * Asks for nothing that was not counted: a dry run, the question, the task.
 * `what` says in words what it is about.
 */
export async function carryOut(kind, request, what, app) {
  const asked = { kind, ...request };
  const counting = follow(KINDS[kind].title, html`<p>Counting ${what} …</p><progress aria-label="Counting"></progress>`);
  let wanted = true;
  counting.closed.then(() => (wanted = false));
  const dry = await attempt(() => run({ ...asked, dry_run: true }, () => wanted));
  if (!dry || !wanted) return;
  if (dry.state !== "done") return failed(dry.error ?? "the count has not ended");
  if (dry.matched === 0) {
    counting.draw(html`<p>${KINDS[kind].nothing}</p>`);
    return;
  }
  if (await confirm(kind, dry.matched, what)) await watch(kind, asked, dry.matched, app);
}

async function watch(kind, request, expected, app) {
  let task = null;
  const view = () => html`${bar(kind, task?.done ?? 0, expected, task?.state === "running")}
    ${task?.state === "running"
      ? html`<p class="quiet">It goes on when this is closed, and after a restart of the server.</p>
          <button type="button" @click=${() => stop(task.id)}>Stop here</button>`
      : nothing}`;
  const shown = follow(KINDS[kind].title, view());
  const tell = (now) => {
    task = now;
    shown.draw(view());
    return true;
  };
  const ended = await attempt(() => run(request, tell));
  if (!ended) return;
  tell(ended);
  if (ended.state === "done") done(past(kind, ended.done));
  else failed(ended.error ?? `the ${kind} was ${ended.state}`);
  app.refresh();
}
