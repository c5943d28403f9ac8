// JSON laid out for people, every token as it was written: a number of twenty digits stays one.

const TOKEN = /\s+|"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/gy;

/** How deep lines are moved in: a hostile body may be nested deeper than any screen is wide. */
const DEPTH_MAX = 40;

/** `text`, which is JSON, with each member on a line of its own. */
export function laidOut(text) {
  const out = [];
  let depth = 0;
  let before = "";
  const newLine = () => out.push("\n", "  ".repeat(Math.min(depth, DEPTH_MAX)));
  for (const [token] of text.matchAll(TOKEN)) {
    if (/^\s/.test(token)) continue;
    const opens = token === "{" || token === "[";
    const closes = token === "}" || token === "]";
    const isEmpty = closes && (before === "{" || before === "[");
    if (closes) depth -= 1;
    if (closes ? !isEmpty : before === "{" || before === "[" || before === ",") newLine();
    out.push(token === ":" ? ": " : token);
    if (opens) depth += 1;
    before = token;
  }
  return out.join("");
}
