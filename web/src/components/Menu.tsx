// SPDX-License-Identifier: Apache-2.0
// A button that opens a small panel under it; Escape or a click beside closes.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Button } from "./basics";
import type { IconName } from "./Icon";

interface MenuProps {
  text?: string;
  label?: string;
  icon?: IconName;
  quiet?: boolean;
  up?: boolean;
  children: (close: () => void) => ComponentChildren;
}

export function Menu(p: MenuProps) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) {
      return;
    }
    const outside = (e: Event) => {
      if (e.target instanceof Node && !box.current?.contains(e.target)) {
        setOpen(false);
      }
    };
    document.addEventListener("pointerdown", outside);
    document.addEventListener("focusin", outside);
    return () => {
      document.removeEventListener("pointerdown", outside);
      document.removeEventListener("focusin", outside);
    };
  }, [open]);
  return (
    <div class="menu" ref={box} onKeyDown={(e) => {
      if (e.key === "Escape" && open) {
        e.stopPropagation();
        setOpen(false);
        box.current?.querySelector("button")?.focus();
      }
    }}>
      <Button kind={p.quiet ? "quiet" : "plain"} icon={p.icon} label={p.label}
        expanded={open} onClick={() => setOpen(!open)}>{p.text}</Button>
      {open && (
        <div class={`menu-panel ${p.up ? "menu-up" : ""}`}>
          {p.children(() => setOpen(false))}
        </div>
      )}
    </div>
  );
}
