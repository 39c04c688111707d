// SPDX-License-Identifier: Apache-2.0
import type {ComponentChildren, JSX} from "preact";
import {useEffect, useId, useRef, useState} from "preact/hooks";
import {ApiError} from "../lib/api.ts";
import {_, fmt} from "../lib/i18n.ts";
import {Button, Notice, TextField} from "./controls.tsx";

interface ConfirmProps {
  title: string;
  /** What will happen to what; a person decides by this. */
  children: ComponentChildren;
  action: string;
  danger?: boolean;
  /** Must be typed before it is done: for what cannot be taken back. */
  typed?: string;
  onConfirm: () => Promise<unknown>;
  onClose: () => void;
}

export function Confirm({title, children, action, danger = false, typed, onConfirm, onClose}: ConfirmProps): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const [text, setText] = useState("");
  const [wrong, setWrong] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  useEffect(() => { dialog.current?.showModal(); }, []);

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    if (busy) return;
    if (typed !== undefined && text.trim() !== typed) {
      setWrong(true);
      return;
    }
    setBusy(true);
    try {
      await onConfirm();
      onClose();
    } catch (caught) {
      setError(caught instanceof ApiError ? caught.message : String(caught));
      setBusy(false);
    }
  }

  return <dialog ref={dialog} aria-labelledby={id} onClose={onClose}>
    <form class="card-body stack" method="dialog" onSubmit={event => void submit(event)}>
      <h2 id={id}>{title}</h2>
      {children}
      {typed !== undefined && <TextField label={fmt(_("Type $0 to confirm"), typed)} value={text} onInput={value => { setText(value); setWrong(false); }}
        error={wrong ? fmt(_("This is not “$0”."), typed) : null} autocomplete="off"/>}
      {error !== null && <Notice tone="bad">{error}</Notice>}
      <div class="row end">
        <Button onClick={() => dialog.current?.close()}>{_("Keep it as it is")}</Button>
        <Button kind={danger ? "danger" : "primary"} submit busy={busy}>{action}</Button>
      </div>
    </form>
  </dialog>;
}
