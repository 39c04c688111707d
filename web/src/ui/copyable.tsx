// SPDX-License-Identifier: Apache-2.0
import type {JSX} from "preact";
import {useRef, useState} from "preact/hooks";
import {_} from "../lib/i18n.ts";
import {Button} from "./controls.tsx";

/** A text to take along. Without a clipboard (plain HTTP has none) it is marked, to be copied by hand. */
export function Copyable({text, label}: { text: string; label: string }): JSX.Element {
  const field = useRef<HTMLInputElement>(null);
  const [copied, setCopied] = useState(false);

  async function copy(): Promise<void> {
    field.current?.select();
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
    } catch { /* it is marked */ }
  }

  return <div class="row nowrap copyable">
    <input ref={field} class="input mono" readOnly value={text} aria-label={label} onFocus={event => event.currentTarget.select()}/>
    <Button onClick={() => void copy()}>{copied ? _("Copied") : _("Copy")}</Button>
  </div>;
}
