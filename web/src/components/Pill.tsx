// SPDX-License-Identifier: Apache-2.0
// A state as a shape and a word, in its colour.
import { look } from "../states";
import { Icon } from "./Icon";

export function Pill({ state, word }: { state: string; word?: string }) {
  const l = look(state);
  return (
    <span class={`pill tone-${l.tone}`} data-state={state}>
      <Icon name={l.shape} />
      {word ?? l.word}
    </span>
  );
}
