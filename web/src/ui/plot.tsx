// SPDX-License-Identifier: Apache-2.0
// Bars, for who would rather look than read; the numbers stand in a table below for who would rather read.
import type {JSX} from "preact";
import {roundUp} from "../lib/history.ts";
import {_} from "../lib/i18n.ts";
import {navigate} from "../lib/router.ts";

export interface Bar {
  key: string | number;
  value: number;
  /** On the axis, in the table and where the pointer rests. */
  label: string;
  text: string;
  tone?: "bad" | "warn" | "off";
  href?: string;
}

interface PlotProps {
  title: string;
  /** What one sees, in a sentence. */
  summary: string;
  bars: readonly Bar[];
  format: (value: number) => string;
  /** What the scale ends at: a round number, no less than the highest bar. */
  round?: (value: number) => number;
  /** Heads of the table. */
  heads: readonly [string, string];
}

const HEIGHT = 100, STEP = 10, GAP = 2;

/** Least height of a bar that is not nothing, so that it is seen. */
const LEAST = 1.5;

export function Plot({title, summary, bars, format, heads, round = roundUp}: PlotProps): JSX.Element {
  const top = round(Math.max(0, ...bars.map(bar => bar.value)));
  const high = (value: number) => value === 0 ? 0 : Math.max(LEAST, value / top * HEIGHT);
  const first = bars[0], last = bars.at(-1);
  return <figure class="card plot">
    <figcaption class="card-body stack-small"><h2>{title}</h2><p class="small muted">{summary}</p></figcaption>
    <div class="plot-box">
      <div class="plot-scale small muted number" aria-hidden="true"><span>{format(top)}</span><span>{format(top / 2)}</span><span>{format(0)}</span></div>
      <svg class="plot-area" viewBox={`0 0 ${bars.length * STEP} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={`${title}. ${summary}`}>
        {[0.5, 100].map(y => <line key={y} class="plot-line" x1={0} x2={bars.length * STEP} y1={y} y2={y}/>)}
        <line class="plot-line half" x1={0} x2={bars.length * STEP} y1={HEIGHT / 2} y2={HEIGHT / 2}/>
        {bars.map((bar, index) => {
          const rect = <><rect class="plot-touch" x={index * STEP} y={0} width={STEP} height={HEIGHT}/>
            <rect class={`plot-bar ${bar.tone ?? ""}`} x={index * STEP + GAP / 2} y={HEIGHT - high(bar.value)} width={STEP - GAP} height={high(bar.value)}/>
            <title>{`${bar.label}: ${bar.text}`}</title></>;
          const {href} = bar; // for the mouse; the table has links
          return href === undefined ? <g key={bar.key}>{rect}</g> : <g key={bar.key} class="plot-link" onClick={() => navigate(href)}>{rect}</g>;
        })}
      </svg>
      <div class="plot-ends small muted" aria-hidden="true"><span>{first?.label}</span><span>{last?.label}</span></div>
    </div>
    <details class="card-body small"><summary>{_("As a table")}</summary>
      <div class="plot-table" tabIndex={0} role="region" aria-label={title}><table><thead><tr><th scope="col">{heads[0]}</th><th scope="col">{heads[1]}</th></tr></thead>
        <tbody>{[...bars].reverse().map(bar => <tr key={bar.key}><th scope="row">{bar.href === undefined ? bar.label : <a href={bar.href}>{bar.label}</a>}</th>
          <td class="number">{bar.text}</td></tr>)}</tbody></table></div></details>
  </figure>;
}
