// SPDX-License-Identifier: Apache-2.0
// What a device went through, and how long each state took: a strip, and the
// same as a list, newest first.
import type { TimelineItem } from "../types";
import { dateTime, duration, timeOfDay } from "../format";
import { useNow } from "../hooks";
import { href } from "../router";
import { look } from "../states";
import { Icon } from "./Icon";

const STRIP = 12;

/** Of the latest attempt only: waiting for weeks would hide the rest, so a
 * part's width grows with the logarithm of its time. */
function Strip({ items }: { items: TimelineItem[] }) {
  return (
    <div class="strip" aria-hidden="true">
      {items.slice(-STRIP).map((item) => (
        <span key={`${item.since}${item.state}`} title={`${item.state}: ${
          duration(item.seconds)}`}
          class={`strip-part tone-${look(item.state).tone}`}
          style={{ flexGrow: 1 + Math.log2(1 + item.seconds) }}>
          <span>{look(item.state).word}</span>
        </span>
      ))}
    </div>
  );
}

export function Timeline({ items }: { items: TimelineItem[] }) {
  const now = useNow(5000);
  const today = (t: number) => now - t < 80_000 ? timeOfDay(t) : dateTime(t);
  return (
    <div class="timeline">
      <Strip items={items} />
      <ol class="timeline-list">
        {[...items].reverse().map((item, i) => {
          const l = look(item.state);
          const long = item.until === null ? now - item.since : item.seconds;
          return (
            <li key={`${item.since}${item.state}${i}`}
              class={`tone-${l.tone}`} data-state={item.state}>
              <span class="timeline-mark"><Icon name={l.shape} /></span>
              <span class="timeline-state">{l.word}</span>
              <span class="timeline-text">
                {item.version && <>{item.version}{" "}</>}
                {item.rollout !== null && (
                  <a href={href("rollouts", item.rollout)}>
                    rollout {item.rollout}</a>
                )}
                {item.code && (
                  <span class="timeline-why">{item.meaning ?? item.code}
                    {" "}<code>{item.code}</code></span>
                )}
              </span>
              <span class="timeline-long nums">{duration(long)}
                {item.until === null && " so far"}</span>
              <time class="muted nums" title={dateTime(item.since)}>
                {today(item.since)}</time>
            </li>
          );
        })}
      </ol>
    </div>
  );
}
