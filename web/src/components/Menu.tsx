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
  floating?: boolean; // in a table, which would cut it off
  children: (close: () => void) => ComponentChildren;
}

export function Menu(p: MenuProps) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState<DOMRect | null>(null);
  const toggle = () => {
    setAt(p.floating ? box.current?.getBoundingClientRect() ?? null : null);
    setOpen(!open);
  };
  useEffect(() => {
    if (!open) {
      return;
    }
    const outside = (e: Event) => {
      if (e.target instanceof Node && !box.current?.contains(e.target)) {
        setOpen(false);
      }
    };
    // A press on the panel's own text gives the focus to <main> around it.
    const left = (e: FocusEvent) => {
      if (e.target instanceof Node && !e.target.contains(box.current)) {
        outside(e);
      }
    };
    document.addEventListener("pointerdown", outside);
    document.addEventListener("focusin", left);
    const away = () => at && setOpen(false);
    window.addEventListener("scroll", away, true);
    return () => {
      window.removeEventListener("scroll", away, true);
      document.removeEventListener("pointerdown", outside);
      document.removeEventListener("focusin", left);
    };
  }, [open, at]);
  return (
    <div class="menu" ref={box} onKeyDown={(e) => {
      if (e.key === "Escape" && open) {
        e.stopPropagation();
        setOpen(false);
        box.current?.querySelector("button")?.focus();
      }
    }}>
      <Button kind={p.quiet ? "quiet" : "plain"} icon={p.icon} label={p.label}
        expanded={open} onClick={toggle}>{p.text}</Button>
      {open && (
        <div class={`menu-panel ${p.up ? "menu-up" : ""}`}
          style={at ? {
            position: "fixed",
            right: document.documentElement.clientWidth - at.right,
            top: Math.min(at.bottom + 4, Math.max(8, window.innerHeight - 320)),
          } : undefined}>
          {p.children(() => setOpen(false))}
        </div>
      )}
    </div>
  );
}
