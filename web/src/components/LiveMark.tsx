// SPDX-License-Identifier: Apache-2.0
// How fresh is what is shown? Live, or since when not.
import { shortDuration } from "../format";
import { useNow } from "../hooks";
import { refreshAll, useLive, type LiveState } from "../live";

const WORDS: Record<LiveState, string> = {
  connecting: "Connecting",
  live: "Live",
  polling: "Every 10 s",
  lost: "No connection",
};

export function LiveMark() {
  const { state, fresh } = useLive();
  const now = useNow(1000);
  const age = Math.max(0, now - fresh / 1000);
  return (
    <button type="button" class={`live live-${state}`} onClick={refreshAll}
      title="Fetch everything anew">
      <span class="live-dot" aria-hidden="true" />
      <span class="live-word">{WORDS[state]}</span>
      <span class="live-age nums" aria-hidden="true">
        {fresh === 0 ? "" : age < 2 ? "just now" : `${shortDuration(age)} ago`}
      </span>
    </button>
  );
}
