// SPDX-License-Identifier: Apache-2.0
// A decoded document as terms and values, however deep: what the server tells
// is shown whole, also what this page does not know.
import type { ComponentChildren } from "preact";
import { bytes } from "../format";
import { CopyButton } from "./basics";

const DEEPEST = 12;

const named = (name: string): string => {
  const words = name.replace(/[_-]+/g, " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
};

const isSize = (name: string): boolean => /(^|_)size$/.test(name);
const isHex = (value: string): boolean => /^[0-9a-f]{24,}$/.test(value);

function Plain({ name, value }: { name: string; value: unknown }) {
  if (value === null || value === "") {
    return <span class="muted">none</span>;
  }
  if (typeof value === "boolean") {
    return <>{value ? "yes" : "no"}</>;
  }
  if (typeof value === "number" && isSize(name)) {
    return <span class="nums">{bytes(value)}{" "}
      <span class="muted">({value} bytes)</span></span>;
  }
  if (typeof value === "string" && isHex(value)) {
    return <span class="hash"><code>{value}</code>
      <CopyButton text={value} label={`Copy ${named(name)}`} /></span>;
  }
  return <span class="nums">{String(value)}</span>;
}

const simple = (value: unknown): boolean =>
  value === null || typeof value !== "object";

function listOf(value: unknown[], name: string, depth: number):
  ComponentChildren {
  if (value.length === 0) {
    return <span class="muted">none</span>;
  }
  if (value.every(simple)) {
    return value.every((v) => typeof v === "number")
      ? <span class="nums">{value.join(", ")}</span> : (
        <ul class="tree-list">
          {value.map((v, i) => <li key={i}><Plain name={name} value={v} />
          </li>)}
        </ul>
      );
  }
  return (
    <ol class="tree-items">
      {value.map((v, i) => <li key={i}>{inner(v, name, depth + 1)}</li>)}
    </ol>
  );
}

function inner(value: unknown, name: string, depth: number):
  ComponentChildren {
  if (simple(value) || depth > DEEPEST) {
    return <Plain name={name} value={simple(value) ? value
      : JSON.stringify(value)} />;
  }
  return Array.isArray(value) ? listOf(value, name, depth)
    : <Tree value={value as Record<string, unknown>} depth={depth} />;
}

export function Tree({ value, depth = 0 }:
  { value: Record<string, unknown>; depth?: number }) {
  return (
    <dl class={`tree ${depth > 0 ? "tree-inner" : ""}`}>
      {Object.entries(value).map(([name, v]) => (
        <div key={name} class={simple(v) ? "" : "tree-deep"}>
          <dt>{named(name)}</dt>
          <dd>{inner(v, name, depth + 1)}</dd>
        </div>
      ))}
    </dl>
  );
}
