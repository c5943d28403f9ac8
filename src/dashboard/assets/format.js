// Numbers, times and texts as people read them.

const COUNT = new Intl.NumberFormat("en");
const SHORT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

export const count = (number) => COUNT.format(number);

/** At most five characters: `12.3K`. */
export const brief = (number) => (number < 10_000 ? COUNT.format(number) : SHORT.format(number));

/** "1 delivery", "2 deliveries". */
export const counted = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;

const UNITS = [
  ["d", 86_400],
  ["h", 3_600],
  ["min", 60],
  ["s", 1],
];

/** A duration in its two greatest units: `2 h 5 min`. */
export function duration(ms) {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  let seconds = Math.round(ms / 1000);
  const first = UNITS.findIndex(([, length]) => seconds >= length);
  const parts = UNITS.slice(first, first + 2).map(([name, length]) => {
    const whole = Math.floor(seconds / length);
    seconds -= whole * length;
    return whole && `${whole} ${name}`;
  });
  return parts.filter(Boolean).join(" ");
}

/** A moment as seen from `now`: `in 28 s`, `3 min ago`. */
export function relative(at, now) {
  const ms = Date.parse(at) - now;
  if (Math.abs(ms) < 1000) return "now";
  return ms > 0 ? `in ${duration(ms)}` : `${duration(-ms)} ago`;
}

/** In the reader's own time zone: `2026-11-23 01:43:35`. */
export function local(at) {
  const time = new Date(at);
  if (Number.isNaN(time.getTime())) return String(at);
  const two = (number) => String(number).padStart(2, "0");
  const day = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join("-");
  return `${day} ${[time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(":")}`;
}

/** The reader's time zone at that moment: `UTC+5:45`. */
export function zone(at) {
  const minutes = -new Date(at).getTimezoneOffset();
  if (minutes === 0) return "UTC";
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `UTC${minutes < 0 ? "−" : "+"}${hours}${rest ? `:${String(rest).padStart(2, "0")}` : ""}`;
}

/** `3.4 MiB`. */
export function size(bytes) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let number = bytes;
  let unit = 0;
  while (number >= 1024 && unit < units.length - 1) {
    number /= 1024;
    unit += 1;
  }
  return `${unit && number < 10 ? number.toFixed(1) : Math.round(number)} ${units[unit]}`;
}

// What no font shows, and what turns the text around it about (Unicode's Bidi_Control).
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

/** A stranger's text with everything in it that cannot be seen made visible. */
export function visible(text) {
  return String(text).replace(UNSEEN, (character) => {
    const code = character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
    return `⟨U+${code}⟩`;
  });
}

/** As `visible`, on one line and not much longer than `most` characters. */
export function line(text, most = 120) {
  const flat = visible(String(text).slice(0, most + 1).replace(/\s+/g, " "));
  return String(text).length > most ? `${flat.slice(0, -1)}…` : flat;
}

const DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** When the event was received: the first ten digits of an id are its time. */
export function receivedAt(id) {
  const digits = id.slice(id.indexOf("_") + 1).slice(0, 10);
  return [...digits].reduce((ms, digit) => ms * 32 + DIGITS.indexOf(digit), 0);
}
