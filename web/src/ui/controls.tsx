// SPDX-License-Identifier: Apache-2.0
// The small parts that every page is made of.
import type {ComponentChildren, JSX} from "preact";
import {useEffect, useId, useRef, useState} from "preact/hooks";
import {_} from "../lib/i18n.ts";
import {absolute, relative} from "../lib/time.ts";
import {Icon, type IconName} from "./icons.tsx";

export type Tone = "ok" | "bad" | "warn" | "info";
const TONE_ICONS: Record<Tone, IconName> = {ok: "ok", bad: "bad", warn: "warn", info: "info"};

/** Said at once to who cannot see it when it is `bad`. */
export function Notice({tone, children}: { tone: Tone; children: ComponentChildren }): JSX.Element {
  return <div class={`notice ${tone}`} role={tone === "bad" ? "alert" : "status"}>
    <Icon name={TONE_ICONS[tone]}/><div class="body">{children}</div>
  </div>;
}

interface ButtonProps {
  children: ComponentChildren;
  kind?: "primary" | "danger" | "quiet" | "plain";
  submit?: boolean;
  /** Something is being done: the button stays where the focus is, and does nothing. */
  busy?: boolean;
  wide?: boolean;
  icon?: IconName;
  label?: string;
  onClick?: () => void;
}

export function Button({children, kind = "plain", submit = false, busy = false, wide = false, icon, label, onClick}: ButtonProps): JSX.Element {
  return <button type={submit ? "submit" : "button"} class={`button ${kind}${wide ? " wide" : ""}`} aria-disabled={busy} aria-label={label}
    onClick={event => { if (busy) event.preventDefault(); else onClick?.(); }}>
    {busy ? <Icon name="run" spin/> : icon && <Icon name={icon}/>}{children}
  </button>;
}

interface FieldProps {
  label: string;
  hint?: ComponentChildren;
  error?: string | null;
  optional?: boolean;
  /** For links that lead to the control. */
  fixedId?: string;
  children: (ids: { id: string; "aria-describedby"?: string; "aria-invalid"?: boolean }) => ComponentChildren;
}

/** A label, a hint and an error around one control, tied to it. */
export function Field({label, hint, error, optional = false, fixedId, children}: FieldProps): JSX.Element {
  const made = useId(), id = fixedId ?? made;
  const described = [hint !== undefined ? `${id}-hint` : "", error ? `${id}-error` : ""].filter(Boolean).join(" ");
  return <div class="field">
    <label for={id}>{label} {optional && <span class="needed">{_("(optional)")}</span>}</label>
    {children({id, ...(described !== "" && {"aria-describedby": described}), ...(error && {"aria-invalid": true})})}
    {hint !== undefined && <div class="hint" id={`${id}-hint`}>{hint}</div>}
    {error && <div class="error" id={`${id}-error`}><Icon name="bad"/>{error}</div>}
  </div>;
}

interface TextFieldProps {
  label: string;
  value: string;
  onInput: (value: string) => void;
  type?: "text" | "email" | "password" | "search";
  name?: string;
  autocomplete?: string;
  hint?: ComponentChildren;
  error?: string | null;
  optional?: boolean;
  required?: boolean;
  minLength?: number;
  focus?: boolean;
}

export function TextField({label, value, onInput, type = "text", name, autocomplete, hint, error, optional, required, minLength, focus}: TextFieldProps): JSX.Element {
  const input = useRef<HTMLInputElement>(null);
  const kind = {type} as {type: "text"}; // the types know each kind of input, but no variable one
  useEffect(() => { if (focus) input.current?.focus(); }, []);
  return <Field label={label} hint={hint} error={error ?? null} optional={optional ?? false}>
    {ids => <input {...ids} {...kind} ref={input} class="input" name={name} value={value} autocomplete={autocomplete} required={required}
      minLength={minLength} onInput={event => onInput(event.currentTarget.value)}/>}
  </Field>;
}

export function Switch({on, label, onChange}: { on: boolean; label: string; onChange: (on: boolean) => void }): JSX.Element {
  return <button type="button" class="switch" role="switch" aria-checked={on} aria-label={label} onClick={() => onChange(!on)}/>;
}

/** One clock for all times on the page. */
const clock = {now: Date.now(), listeners: new Set<() => void>()};
let ticking: ReturnType<typeof setInterval> | null = null;

function useNow(): number {
  const [now, set] = useState(clock.now);
  useEffect(() => {
    const listener = () => set(clock.now);
    clock.listeners.add(listener);
    ticking ??= setInterval(() => {
      clock.now = Date.now();
      for (const each of [...clock.listeners]) each();
    }, 15_000);
    return () => { clock.listeners.delete(listener); };
  }, []);
  return now;
}

/** Seconds since 1970. */
export function Ago({at}: { at: number }): JSX.Element {
  const now = Math.max(useNow(), Date.now());
  return <time dateTime={new Date(at * 1000).toISOString()} title={absolute(at * 1000)}>{relative(Math.min(at * 1000, now), now)}</time>;
}

export function Empty({icon, title, children}: { icon: IconName; title: string; children?: ComponentChildren }): JSX.Element {
  return <div class="empty"><Icon name={icon} size={40}/><h2>{title}</h2>{children}</div>;
}

/** The heading takes the focus when its page was navigated to, so that a screen reader says where one is. */
export function Heading({children, title}: { children: ComponentChildren; title: string }): JSX.Element {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => { document.title = `${title} – Sluice`; }, [title]);
  useEffect(() => {
    if (document.activeElement === null || document.activeElement === document.body || document.activeElement instanceof HTMLAnchorElement)
      heading.current?.focus({preventScroll: true});
  }, []);
  return <h1 ref={heading} tabIndex={-1}>{children}</h1>;
}
