// SPDX-License-Identifier: Apache-2.0
// Small inputs of the rollout form: numbers with a unit, times with a unit,
// days of the week.
import { useState } from "preact/hooks";
import { DAYS } from "../plan";
import { marks, useWrong, WrongText } from "../wrong";

interface NumberProps {
  id: string;
  label: string;
  value: string;
  onChange: (text: string) => void;
  unit?: string;
  placeholder?: string; // the default
  min?: number;
  max?: number;
  hint?: string;
}

export function NumberField(p: NumberProps) {
  const wrong = useWrong(p.id);
  return (
    <div class={`field ${wrong ? "field-bad" : ""}`}>
      <label for={p.id}>{p.label}</label>
      <span class="with-unit">
        <input id={p.id} type="number" inputMode="numeric" min={p.min ?? 0}
          max={p.max} value={p.value} placeholder={p.placeholder}
          {...marks(p.id, wrong, Boolean(p.hint))}
          onInput={(e) => p.onChange(e.currentTarget.value)} />
        {p.unit && <span class="unit">{p.unit}</span>}
      </span>
      {p.hint && <p class="hint" id={`${p.id}-hint`}>{p.hint}</p>}
      <WrongText id={p.id} text={wrong} />
    </div>
  );
}

const UNITS: [number, string][] =
  [[86400, "days"], [3600, "hours"], [60, "minutes"], [1, "seconds"]];

const unitOf = (text: string, otherwise: number): number => {
  const seconds = Number(text);
  return seconds > 0
    ? UNITS.find(([size]) => seconds % size === 0)?.[0] ?? 1 : otherwise;
};

/** Seconds as text, typed in a unit that fits. */
export function DurationField(p: {
  id: string; label: string; value: string; standard: number;
  onChange: (seconds: string) => void; hint?: string;
}) {
  const [unit, setUnit] = useState(unitOf(p.value || String(p.standard),
    3600));
  const shown = p.value === "" ? ""
    : Number.isFinite(Number(p.value)) ? String(Number(p.value) / unit)
    : p.value;
  const wrong = useWrong(p.id);
  const tell = (text: string, size: number) => p.onChange(text === "" ? ""
    : String(Math.round(Number(text) * size)));
  return (
    <div class={`field ${wrong ? "field-bad" : ""}`}>
      <label for={p.id}>{p.label}</label>
      <span class="with-unit">
        <input id={p.id} type="number" min={0} value={shown} step="any"
          {...marks(p.id, wrong, Boolean(p.hint))}
          placeholder={String(p.standard / unit)}
          onInput={(e) => tell(e.currentTarget.value, unit)} />
        <select class="unit-select" aria-label={`Unit of: ${p.label}`}
          value={String(unit)} onChange={(e) => {
            const size = Number(e.currentTarget.value);
            setUnit(size);
            tell(shown, size);
          }}>
          {UNITS.map(([size, name]) => (
            <option key={size} value={String(size)}>{name}</option>
          ))}
        </select>
      </span>
      {p.hint && <p class="hint" id={`${p.id}-hint`}>{p.hint}</p>}
      <WrongText id={p.id} text={wrong} />
    </div>
  );
}

export function DayButtons({ days, onChange, name }: {
  days: string[]; onChange: (days: string[]) => void; name: string;
}) {
  return (
    <div class="days" role="group" aria-label={`Days of ${name}`}>
      {DAYS.map(([key, title]) => {
        const on = days.includes(key);
        return (
          <button key={key} type="button" aria-pressed={on} title={title}
            aria-label={title} onClick={() => onChange(on
              ? days.filter((day) => day !== key)
              : DAYS.map(([d]) => d).filter((d) =>
                d === key || days.includes(d)))}>
            {title.slice(0, 2)}
          </button>
        );
      })}
    </div>
  );
}
