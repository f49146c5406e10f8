// SPDX-License-Identifier: Apache-2.0
// Shares of a whole: one bar of coloured parts with its legend, and a funnel.
import { number, percent } from "../format";
import { look, type Tone } from "../states";
import { Icon } from "./Icon";

export interface Part {
  state: string; // states.ts
  n: number;
  href?: string;
  word?: string;
}

interface BarProps {
  parts: Part[];
  whole?: number; // else their sum
  legend?: boolean;
  label: string; // for screen readers
  slim?: boolean;
}

/** Small parts stay visible: never under 3 pixels. */
export function Bar({ parts, whole, legend, label, slim }: BarProps) {
  const shown = parts.filter((part) => part.n > 0);
  const all = Math.max(1, whole ?? parts.reduce((sum, p) => sum + p.n, 0));
  const text = shown.map((p) => `${number(p.n)} ${p.word ?? look(p.state).word}`)
    .join(", ");
  return (
    <div class="bar-block">
      <div class={`bar ${slim ? "bar-slim" : ""}`} role="img"
        aria-label={`${label}: ${text || "none"}`}>
        {shown.map((part) => (
          <span key={part.state} class={`bar-part tone-${look(part.state).tone}`}
            style={{ flexGrow: part.n }} title={`${number(part.n)} ${
              part.word ?? look(part.state).word}`} />
        ))}
        {all > shown.reduce((sum, p) => sum + p.n, 0) && (
          <span class="bar-rest" style={{
            flexGrow: all - shown.reduce((sum, p) => sum + p.n, 0),
          }} />
        )}
      </div>
      {legend && <Legend parts={shown} whole={all} />}
    </div>
  );
}

function Legend({ parts, whole }: { parts: Part[]; whole: number }) {
  return (
    <ul class="legend">
      {parts.map((part) => {
        const l = look(part.state);
        const inner = (
          <>
            <Icon name={l.shape} />
            <b class="nums">{number(part.n)}</b> {part.word ?? l.word}
            <span class="muted nums">{percent(part.n, whole)}</span>
          </>
        );
        return (
          <li key={part.state} class={`tone-${l.tone}`}>
            {part.href ? <a href={part.href}>{inner}</a> : inner}
          </li>
        );
      })}
    </ul>
  );
}

export interface FunnelStep {
  state: string;
  n: number;
  href?: string;
  word?: string;
}

/** The way of the devices: a column a step, its height their share. */
export function Funnel({ steps, whole }:
  { steps: FunnelStep[]; whole: number }) {
  const most = Math.max(1, whole);
  return (
    <ol class="funnel">
      {steps.map((step) => {
        const l = look(step.state);
        const height = step.n === 0 ? 0 : Math.max(4, (100 * step.n) / most);
        const inner = (
          <>
            <span class="funnel-track" aria-hidden="true">
              <span class="funnel-fill" style={{ height: `${height}%` }} />
            </span>
            <span class="funnel-n nums">{number(step.n)}</span>
            <span class="funnel-word">
              <Icon name={l.shape} />{step.word ?? l.word}
            </span>
          </>
        );
        return (
          <li key={step.state} data-state={step.state}
            class={`tone-${l.tone} ${step.n === 0 ? "funnel-none" : ""}`}>
            {step.href && step.n > 0
              ? <a href={step.href}>{inner}</a> : <div>{inner}</div>}
          </li>
        );
      })}
    </ol>
  );
}

/** An interval of 0..1 with what was seen and the ceiling: is one of three
 * really 33%? */
export function Interval(p: {
  low: number; high: number; seen: number; ceiling: number; label: string;
}) {
  const at = (share: number) => `${Math.min(100, Math.max(0, share * 100))}%`;
  const tone: Tone = p.low >= p.ceiling ? "bad"
    : p.seen >= p.ceiling ? "wait" : "good";
  return (
    <div class={`interval tone-${tone}`} role="img" aria-label={p.label}>
      <span class="interval-span"
        style={{ left: at(p.low), width: at(p.high - p.low) }} />
      <span class="interval-seen" style={{ left: at(p.seen) }} />
      <span class="interval-ceiling" style={{ left: at(p.ceiling) }} />
    </div>
  );
}
