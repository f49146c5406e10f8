// SPDX-License-Identifier: Apache-2.0
// A filter that one types, as the lists of devices and of the audit log have.
import { useEffect, useState } from "preact/hooks";
import { useSettled } from "../hooks";
import { replaceQuery } from "../router";
import { Icon } from "./Icon";

/** Text that goes into the address once typing rests. */
export function FilterText({ name, label, value, mono }:
  { name: string; label: string; value: string; mono?: boolean }) {
  const [text, setText] = useState(value);
  const settled = useSettled(text);
  useEffect(() => {
    if (settled !== value) {
      replaceQuery({ [name]: settled, after: null });
    }
  }, [settled]);
  useEffect(() => setText(value), [value]);
  return (
    <div class="search">
      <Icon name={mono ? "filter" : "search"} />
      <input type="search" aria-label={label} placeholder={label}
        class={mono ? "mono" : ""} value={text} spellcheck={false}
        autocapitalize="none"
        onInput={(e) => setText(e.currentTarget.value)} />
    </div>
  );
}
