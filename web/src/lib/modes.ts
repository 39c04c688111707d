// SPDX-License-Identifier: Apache-2.0
// How a stream is synced, in words.
import {_} from "./i18n.ts";

const MODES: Record<string, () => string> = {
  "full_refresh overwrite": () => _("Full refresh, replaces"), "full_refresh append": () => _("Full refresh, appends"),
  "full_refresh overwrite_dedup": () => _("Full refresh, replaces, without duplicates"),
  "incremental append": () => _("Incremental, appends"), "incremental append_dedup": () => _("Incremental, without duplicates"),
};

export function modeText(source: string, destination: string): string {
  return MODES[`${source} ${destination}`]?.() ?? `${source} ${destination}`;
}
