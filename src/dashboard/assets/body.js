// A body as it came in: laid out, raw, or as bytes.
import { html, nothing } from "./html.js";
import { address, part } from "./api.js";
import { decoded, dump } from "./bytes.js";
import { size, visible } from "./format.js";
import { laidOut } from "./json.js";
import { tabs } from "./parts.js";

/** What a page shows at once: more is slow to lay out, and nobody reads it. */
const SHOWN_MAX = 64 * 1024;

/** `as`: `json`, `raw` or `hex`, or what suits the body best. */
export function body(event, bytes, as) {
  const text = decoded(bytes);
  const isJson = text !== null && "data" in event;
  const best = isJson ? "json" : text === null ? "hex" : "raw";
  const ways = [
    isJson && ["json", "JSON"],
    text !== null && ["raw", "Raw"],
    ["hex", "Hex"],
  ].filter(Boolean);
  const chosen = ways.some(([way]) => way === as) ? as : best;
  const cut = bytes.subarray(0, SHOWN_MAX);
  const shown = {
    json: () => visible(laidOut(text).slice(0, SHOWN_MAX)),
    raw: () => visible(text.slice(0, SHOWN_MAX)),
    hex: () => dump(cut.subarray(0, SHOWN_MAX / 4)),
  };
  const long = bytes.length > (chosen === "hex" ? SHOWN_MAX / 4 : SHOWN_MAX);
  return html`<section aria-labelledby="body">
    <div class="section-head">
      <h2 id="body">Body <span class="quiet">${size(bytes.length)}, ${visible(event.content_type)}</span></h2>
      ${tabs("Body as", "as", ways.map(([way, word]) => [way === best ? "" : way, word]), as === best ? "" : as)}
      <a class="button" href=${address(`events/${part(event.id)}/body`)} download="${event.id}">Download</a>
    </div>
    <pre class="body" tabindex="0" aria-label="Body">${bytes.length ? shown[chosen]() : "(empty)"}</pre>
    ${long ? html`<p class="quiet">This is its beginning; the download has all of it.</p>` : nothing}
  </section>`;
}
