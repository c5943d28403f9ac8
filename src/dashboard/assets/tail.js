// The log as it grows: server-sent events, kept to the newest few hundred, drawn once a frame however
// many come.
import { get } from "./api.js";

const KEPT_MAX = 200;

/** How many ends of attempts are remembered of an event. */
const OUTCOMES_MAX = 20;

/** Behind an error that ends the stream for good, as when all places are taken. */
const REST_MS = 5_000;

/** The oldest of those that arrived, or of all: what did not arrive is what somebody looks for. */
const leastWanted = (outcomes) => Math.max(0, outcomes.findIndex(({ status }) => status === "delivered"));

/** What a list shows of an event; the body, which may be large, is let go. */
const kept = ({ id, seq, type, source, subject, size, received_at }) => ({
  id, seq, type, source, subject, size, received_at, outcomes: [],
});

/** Follows the log from now on; calls `draw` when there is something new. */
export function follow(types, draw) {
  let source = null;
  let timer = 0;
  let frame = 0;
  let rows = [];
  let byId = new Map();
  const tail = { rows, paused: false, connected: false, missed: 0, came: 0, pause, close, begin };

  function open() {
    const query = types ? `?types=${encodeURIComponent(types)}` : "";
    source = new EventSource(`v1/stream${query}`);
    source.addEventListener("open", () => told({ connected: true }));
    source.addEventListener("event", (message) => add(kept(JSON.parse(message.data))));
    source.addEventListener("delivery", (message) => ended(JSON.parse(message.data)));
    source.addEventListener("error", () => {
      told({ connected: false });
      // The browser tries again by itself, unless the answer was no stream: then the session may
      // have ended, which this request finds out.
      if (source.readyState !== EventSource.CLOSED) return;
      timer = setTimeout(() => get("clock").then(open, open), REST_MS);
    });
  }

  function told(changes) {
    Object.assign(tail, changes);
    later();
  }

  function later() {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      draw();
    });
  }

  function add(row) {
    if (byId.has(row.id)) return;
    byId.set(row.id, row);
    rows.unshift(row);
    tail.came += 1;
    while (rows.length > KEPT_MAX) byId.delete(rows.pop().id);
    if (!tail.paused) tail.rows = rows;
    later();
  }

  function ended(delivery) {
    const row = byId.get(delivery.event_id);
    if (!row) return;
    const { delivery_id, endpoint, status, attempt } = delivery;
    row.outcomes = row.outcomes.filter((outcome) => outcome.delivery_id !== delivery_id);
    row.outcomes.push({ delivery_id, endpoint, status, code: attempt.status, error: attempt.error });
    if (row.outcomes.length > OUTCOMES_MAX) row.outcomes.splice(leastWanted(row.outcomes), 1);
    if (!tail.paused) later();
  }

  /** Stands still, or shows what has come meanwhile. */
  function pause() {
    tail.paused = !tail.paused;
    tail.rows = tail.paused ? rows.map((row) => ({ ...row })) : rows;
    tail.missed = tail.came;
    draw();
  }

  function close() {
    clearTimeout(timer);
    cancelAnimationFrame(frame);
    source?.close();
  }

  /** With what the log ended with before, newest first. */
  function begin(events) {
    for (const event of [...events].reverse()) add(kept(event));
    tail.came = 0;
    open();
  }

  return tail;
}
