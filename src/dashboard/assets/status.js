// What the server says of itself, and what time its clock shows.
import { get } from "./api.js";

let status = null;
let heardAt = 0;

/** Asks for it; every page has it when it is drawn. */
export async function loadStatus(signal) {
  status = await get("status", {}, signal);
  heardAt = performance.now();
  return status;
}

export const lastStatus = () => status;

/** The broker's clock in milliseconds: it may be manual, or run faster than this machine's. */
export function clockNow() {
  if (!status) return Date.now();
  const speeds = { real: 1, manual: 0 };
  const speed = speeds[status.clock.kind] ?? Number.parseFloat(status.clock.speed);
  return Date.parse(status.now) + (performance.now() - heardAt) * speed;
}

/** What is left of the disk before events are refused, as a share of the reserve. */
export function diskIsLow(store) {
  return store.free_bytes !== null && store.free_bytes < 4 * store.reserve_bytes;
}
