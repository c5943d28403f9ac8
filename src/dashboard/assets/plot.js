// Small plots of counts over time. Their sizes are attributes, for the policy forbids inline styles.
import { html, svg, nothing } from "./html.js";
import { brief, count, counted, local } from "./format.js";

const WIDTH = 600;
const HEIGHT = 96;

/** Bars of two parts, the failed on top of the delivered, and the incoming as a line. */
export function plot({ from, step, ingested, delivered, failed, label }) {
  const steps = delivered.length;
  const most = Math.max(1, ...delivered.map((n, i) => n + failed[i]), ...(ingested ?? []));
  const width = WIDTH / steps;
  const height = (number) => (number / most) * (HEIGHT - 4);
  const start = Date.parse(from);
  const ms = lengthOf(step);
  const bar = (n, i) => {
    if (!n && !failed[i]) return nothing;
    const good = height(n);
    const bad = height(failed[i]);
    const x = (i * width + 0.5).toFixed(2);
    const w = Math.max(1, width - 1).toFixed(2);
    return svg`<g>
      <title>${local(start + i * ms)}: ${count(n)} delivered, ${count(failed[i])} failed</title>
      ${n ? svg`<rect class="good" x=${x} y=${HEIGHT - good} width=${w} height=${good}></rect>` : nothing}
      ${failed[i] ? svg`<rect class="bad" x=${x} y=${HEIGHT - good - bad} width=${w} height=${Math.max(1.5, bad)}></rect>` : nothing}
    </g>`;
  };
  const points = ingested?.map((n, i) => `${(i + 0.5) * width},${HEIGHT - 1 - height(n)}`).join(" ");
  const sum = (all) => all.reduce((total, n) => total + n, 0);
  const words = [
    `${count(sum(delivered))} delivered`,
    counted(sum(failed), "failed attempt"),
    ...(ingested ? [`${counted(sum(ingested), "event")} in`] : []),
  ];
  return html`<figure class="plot">
    <div class="canvas">
      <span class="most" aria-hidden="true">${brief(most)}</span>
      <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${label}: ${words.join(", ")}">
        <line class="grid" x1="0" x2=${WIDTH} y1="3.5" y2="3.5"></line>
        <line class="grid" x1="0" x2=${WIDTH} y1=${HEIGHT / 2} y2=${HEIGHT / 2}></line>
        ${delivered.map(bar)}
        ${points ? svg`<polyline class="line" points=${points}></polyline>` : nothing}
        <line class="axis" x1="0" x2=${WIDTH} y1=${HEIGHT - 0.5} y2=${HEIGHT - 0.5}></line>
      </svg>
    </div>
    <figcaption>
      <span>${local(start).slice(5, 16)}</span>
      <span class="legend">
        <span><i class="good"></i>${words[0]}</span> <span><i class="bad"></i>${words[1]}</span>
        ${ingested ? html`<span><i class="line"></i>${words[2]}</span>` : nothing}
      </span>
      <span>now</span>
    </figcaption>
  </figure>`;
}

/** The same, as small as a word. */
export function spark(of) {
  if (!of) return html`<span class="quiet" title="Nothing was attempted in this time">–</span>`;
  const { delivered, failed } = of;
  const most = Math.max(1, ...delivered.map((n, i) => n + failed[i]));
  // A word has room for thirty bars.
  const each = Math.ceil(delivered.length / 30);
  const bars = [];
  for (let i = 0; i < delivered.length; i += each) {
    const largest = (all) => Math.max(...all.slice(i, i + each));
    bars.push([largest(delivered), largest(failed)]);
  }
  const bar = ([good, bad], i) => {
    const g = (good / most) * 20;
    const b = Math.max(bad && 2, (bad / most) * 20);
    return svg`${good ? svg`<rect class="good" x=${i * 3} y=${20 - g} width="2" height=${g}></rect>` : nothing}
      ${bad ? svg`<rect class="bad" x=${i * 3} y=${Math.max(0, 20 - g - b)} width="2" height=${b}></rect>` : nothing}`;
  };
  const [good, bad] = [delivered, failed].map((all) => all.reduce((total, n) => total + n, 0));
  const words = `${count(good)} delivered, ${count(bad)} failed`;
  return html`<svg class="spark" viewBox="0 0 90 20" width="90" height="20" role="img" aria-label=${words}>
    <title>${words}</title><line class="axis" x1="0" x2="90" y1="19.5" y2="19.5"></line>${bars.map(bar)}
  </svg>
  ${good + bad ? html`<span class="sub">${share(good, good + bad)} of ${brief(good + bad)}</span>` : nothing}`;
}

/** Rounded down, for 100 % is said of all alone. */
const share = (some, all) => `${Math.floor((some / all) * 100)} %`;

function lengthOf(step) {
  const [, number, unit] = /^(\d+)([smh])$/.exec(step) ?? [];
  return Number(number ?? 1) * { s: 1_000, m: 60_000, h: 3_600_000 }[unit ?? "m"];
}
