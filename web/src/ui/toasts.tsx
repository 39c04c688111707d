// SPDX-License-Identifier: Apache-2.0
// What happened in answer to something that was done, in the corner. Errors stay until they are closed.
import type {JSX} from "preact";
import {cell, useCell} from "../lib/cell.ts";
import {_} from "../lib/i18n.ts";
import {Notice, type Tone} from "./controls.tsx";
import {Icon} from "./icons.tsx";

interface Toast {
  id: number;
  tone: Tone;
  text: string;
}

const toasts = cell<readonly Toast[]>([]);
let last = 0;

function close(id: number): void {
  toasts.set(toasts.get().filter(toast => toast.id !== id));
}

export function say(tone: Tone, text: string): void {
  const id = ++last;
  toasts.set([...toasts.get().slice(-3), {id, tone, text}]);
  if (tone !== "bad") setTimeout(() => close(id), 6000);
}

/** Does it, and says when it could not be done. */
export async function attempt(what: () => Promise<unknown>): Promise<void> {
  try {
    await what();
  } catch (error) {
    say("bad", error instanceof Error ? error.message : String(error));
  }
}

export function Toasts(): JSX.Element {
  return <div class="toasts">{useCell(toasts).map(toast => <Notice key={toast.id} tone={toast.tone}>
    <div class="row"><span class="grow">{toast.text}</span>
      <button type="button" class="button quiet" aria-label={_("Close")} onClick={() => close(toast.id)}><Icon name="close"/></button></div>
  </Notice>)}</div>;
}
