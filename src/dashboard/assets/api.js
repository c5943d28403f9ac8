// The server's API. Whoever may not ask goes to the login; whoever cannot ask is told so.

/** An answer that is an error, in the server's words. */
export class Refused extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/** No answer at all. */
export class Unreachable extends Error {}

/** How long a request may hang before the server counts as gone. An advance of the clock takes longer. */
const PATIENCE_MS = 15_000;

async function ask(path, options = {}, patience = PATIENCE_MS) {
  const signals = [AbortSignal.timeout(patience)];
  if (options.signal) signals.push(options.signal);
  let response;
  try {
    response = await fetch(path, { cache: "no-store", ...options, signal: AbortSignal.any(signals) });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Unreachable("the server does not answer");
  }
  if (response.ok) return response;
  if (response.status === 401) toLogin();
  const problem = await response.json().catch(() => ({}));
  throw new Refused(response.status, problem.detail ?? `the server answered ${response.status}`);
}

/** To the login, and from there back to this very page. */
export function toLogin() {
  location.assign("login" + location.hash);
}

/** `GET /v1/…`, its parameters those of `query` that have a value. */
export async function get(path, query = {}, signal) {
  const response = await ask(address(path, query), { signal });
  return response.json();
}

/** `GET /v1/…`, as the bytes that came. */
export async function bytes(path, signal) {
  const response = await ask(address(path), { signal });
  return new Uint8Array(await response.arrayBuffer());
}

/** `POST /v1/…`. */
export async function post(path, body = {}, patience) {
  const options = {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  };
  const response = await ask(address(path), options, patience);
  return response.json();
}

/** The address of an API path; names in it have been through `part`. */
export function address(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  const text = new URLSearchParams(given).toString();
  return `v1/${path}${text && "?"}${text}`;
}

/** A name as one part of a path. */
export const part = encodeURIComponent;
