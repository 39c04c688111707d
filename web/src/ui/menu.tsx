// SPDX-License-Identifier: Apache-2.0
// What else can be done to one thing: a button that opens a list. Keys as people know them from menus.
import type {JSX} from "preact";
import {useEffect, useId, useRef, useState} from "preact/hooks";
import {Icon} from "./icons.tsx";

export interface MenuItem {
  text: string;
  onClick: () => void;
}

export function Menu({label, items}: { label: string; items: readonly MenuItem[] }): JSX.Element {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLSpanElement>(null), button = useRef<HTMLButtonElement>(null);
  const id = useId();

  useEffect(() => {
    if (!open) return undefined;
    box.current?.querySelector<HTMLElement>("[role=menuitem]")?.focus();
    const outside = (event: Event) => { if (!box.current?.contains(event.target as Node)) setOpen(false); };
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [open]);

  function close(): void {
    setOpen(false);
    button.current?.focus();
  }

  function onKey(event: KeyboardEvent): void {
    const all = [...box.current?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? []], at = all.indexOf(document.activeElement as HTMLElement);
    const to = event.key === "ArrowDown" ? at + 1 : event.key === "ArrowUp" ? at - 1 : event.key === "Home" ? 0 : event.key === "End" ? all.length - 1 : null;
    if (event.key === "Escape" || event.key === "Tab") {
      if (event.key === "Escape") event.preventDefault();
      close();
    }
    if (to === null) return;
    event.preventDefault();
    all[(to + all.length) % all.length]?.focus();
  }

  return <span class="menu" ref={box}>
    <button ref={button} type="button" class="expander" aria-haspopup="menu" aria-expanded={open} aria-controls={open ? id : undefined} aria-label={label} onClick={() => setOpen(!open)}>
      <Icon name="more"/></button>
    {open && <span class="menu-list card" role="menu" id={id} aria-label={label} onKeyDown={onKey}>{items.map(item =>
      <button key={item.text} type="button" role="menuitem" tabIndex={-1} onClick={() => { close(); item.onClick(); }}>{item.text}</button>)}</span>}
  </span>;
}
