// Bytes as text, or as hexadecimal where they are none.

/** The text, or null where the bytes are no UTF-8. */
export function decoded(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

const two = (byte) => byte.toString(16).padStart(2, "0");

/** Sixteen bytes a line: offset, values, what of them is ASCII. */
export function dump(bytes) {
  const lines = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const some = [...bytes.subarray(at, at + 16)];
    const values = some.map(two);
    const left = values.slice(0, 8).join(" ");
    const right = values.slice(8).join(" ");
    const ascii = some.map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : "."));
    lines.push(`${at.toString(16).padStart(8, "0")}  ${left.padEnd(23)}  ${right.padEnd(23)}  ${ascii.join("")}`);
  }
  return lines.join("\n");
}
