// Which page the fragment of the address names: `#/endpoints/crm?status=dead`. A fragment stays in
// the browser, works below any path that a proxy may use, and outlives the login.

/** The parts and the query of the present fragment. */
export function here() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?", 2);
  const parts = path.split("/").filter(Boolean).map(decoded);
  return { parts, query: Object.fromEntries(new URLSearchParams(query)) };
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    // Somebody has mistyped an escape: it names nothing then.
    return part;
  }
}

/** The fragment of a page. */
export function to(parts, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  const text = new URLSearchParams(given).toString();
  return `#/${parts.map(encodeURIComponent).join("/")}${text && "?"}${text}`;
}

/** This page with another query; each member that is undefined goes. */
export function turned(changes) {
  const { parts, query } = here();
  return to(parts, { ...query, ...changes });
}

/** Goes there, as by a link. */
export function go(fragment) {
  location.hash = fragment;
}

/** Changes the query in place, so that typing into a filter makes no history. */
export function turn(changes) {
  const fragment = turned(changes);
  if (fragment === location.hash) return;
  history.replaceState(null, "", fragment);
  dispatchEvent(new HashChangeEvent("hashchange"));
}
