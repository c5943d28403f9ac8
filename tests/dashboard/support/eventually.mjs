/** Looks again and again until there is something, or for so long at most. */
export async function eventually(what, look, patience_ms = 120_000) {
  const until = Date.now() + patience_ms;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > until) throw new Error(`it did not come to this: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
