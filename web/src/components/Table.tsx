// SPDX-License-Identifier: Apache-2.0
// A table of rows with columns that can be sorted; on a phone each row is a
// small card, its cells named.
import type { ComponentChildren } from "preact";
import { Icon } from "./Icon";
import { Button } from "./basics";

export interface Column<T> {
  key: string;
  title: string;
  cell: (row: T) => ComponentChildren;
  sort?: boolean; // by its key
  right?: boolean; // numbers
  main?: boolean; // the row's name: first and large on a phone
  shrink?: boolean; // as narrow as it can
  wide?: boolean; // a row of its own on a phone
  minor?: boolean; // not on a phone
}

interface TableProps<T> {
  label: string;
  rows: T[];
  columns: Column<T>[];
  rowKey: (row: T) => string | number;
  sort?: string; // "name", "-last_seen"
  onSort?: (sort: string) => void;
  rowClass?: (row: T) => string;
}

export function Table<T>(p: TableProps<T>) {
  const sorted = p.sort?.replace(/^-/, "");
  const down = p.sort?.startsWith("-");
  const order = (c: Column<T>) => c.key !== sorted ? "none" as const
    : down ? "descending" as const : "ascending" as const;
  return (
    <div class="table-wrap" tabIndex={0} role="region" aria-label={p.label}>
      <table class="table">
        <thead>
          <tr>
            {p.columns.map((c) => (
              <th key={c.key} scope="col"
                class={`${c.right ? "right" : ""} ${c.shrink ? "shrink" : ""}`}
                aria-sort={c.sort ? order(c) : undefined}>
                {c.sort && p.onSort ? (
                  <button type="button" onClick={() => p.onSort?.(
                    c.key === sorted && !down ? `-${c.key}` : c.key)}>
                    {c.title}
                    {c.key === sorted && <Icon name={down ? "down" : "up"} />}
                  </button>
                ) : c.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {p.rows.map((row) => (
            <tr key={p.rowKey(row)} class={p.rowClass?.(row)}>
              {p.columns.map((c) => (
                <td key={c.key} data-title={c.title}
                  class={`${c.right ? "right nums" : ""}
                    ${c.shrink ? "shrink" : ""} ${c.wide ? "wide" : ""}
                    ${c.minor ? "minor" : ""}
                    ${c.main ? "main" : ""}`}>
                  {c.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** For lists with {next}: forward, and back through what was seen. */
export function Pager(p: {
  shown: number; total?: number | null; first: boolean; last: boolean;
  onFirst: () => void; onBack: () => void; onNext: () => void; what: string;
}) {
  return (
    <nav class="pager" aria-label="Pages">
      <span class="muted nums">
        {p.shown} {p.what}{p.total ? ` of ${p.total}` : ""}
        {p.last && p.first ? "" : p.last ? ", the last page" : ", more follow"}
      </span>
      <span class="actions">
        {!p.first && <Button small onClick={p.onFirst}>First</Button>}
        <Button small icon="previous" disabled={p.first}
          onClick={p.onBack}>Back</Button>
        <Button small disabled={p.last} onClick={p.onNext}>
          Next<Icon name="next" />
        </Button>
      </span>
    </nav>
  );
}
