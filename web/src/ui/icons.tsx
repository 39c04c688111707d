// SPDX-License-Identifier: Apache-2.0
// Drawn on 16 × 16; decoration only: the text beside an icon says the same.
import type {JSX} from "preact";

const PATHS = {
  connections: "M2 4.500h4.500c2 0 2 7 4 7H14M11.5 9l2.5 2.5-2.5 2.5",
  source: "M8 2c3.3 0 5.5 1 5.5 2.200v7.600C13.5 13 11.3 14 8 14s-5.5-1-5.5-2.200V4.200C2.5 3 4.7 2 8 2Zm-5.5 2.200c0 1.3 2.2 2.3 5.5 2.300s5.5-1 5.5-2.3",
  destination: "M2.5 9v3c0 .8.7 1.5 1.5 1.500h8c.8 0 1.5-.7 1.5-1.500V9M8 2.500v7M5 7l3 3 3-3",
  settings: "M2 4.500h6m4 0h2M2 11.500h2m4 0h6M10 2.800a1.7 1.7 0 1 1 0 3.4 1.7 1.7 0 0 1 0-3.400ZM6 9.800a1.7 1.7 0 1 1 0 3.4 1.7 1.7 0 0 1 0-3.400Z",
  search: "M7 2.500a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9Zm3.3 7.800L14 14",
  ok: "M3 8.500l3.2 3.200L13 4.8",
  bad: "M8 2.200a5.8 5.8 0 1 1 0 11.600A5.8 5.8 0 0 1 8 2.200ZM8 5v3.600m0 2.300v.1",
  warn: "M8 2.5 14.2 13.300H1.800L8 2.500Zm0 4v3.300m0 1.700v.1",
  run: "M13.5 8A5.5 5.5 0 1 1 9.9 2.8",
  queued: "M8 2.200a5.8 5.8 0 1 1 0 11.600A5.8 5.8 0 0 1 8 2.200ZM8 5v3.200l2 1.3",
  paused: "M5.5 3.500v9m5-9v9",
  none: "M4 8h8",
  info: "M8 2.200a5.8 5.8 0 1 1 0 11.600A5.8 5.8 0 0 1 8 2.200ZM8 7.500V11m0-6v.1",
  up: "M4 9.5 8 5.500l4 4",
  down: "M4 6.500l4 4 4-4",
  leave: "M6 2.500H3.500v11H6M9.5 5l3 3-3 3M12 8H6.5",
  close: "M4 4l8 8m0-8-8 8",
  plus: "M8 3v10M3 8h10",
  more: "M8 2.600a.8.8 0 1 1 0 1.600.8.8 0 0 1 0-1.600ZM8 7.200a.8.8 0 1 1 0 1.600.8.8 0 0 1 0-1.600ZM8 11.800a.8.8 0 1 1 0 1.600.8.8 0 0 1 0-1.600Z",
  arrow: "M2.5 8h10.500M9.5 4.5 13 8l-3.5 3.5",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({name, size = 16, spin = false}: { name: IconName; size?: number; spin?: boolean }): JSX.Element {
  return <svg class={spin ? "spin" : undefined} width={size} height={size} viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.6"
    stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d={PATHS[name]}/></svg>;
}

export function Logo({size = 24}: { size?: number }): JSX.Element {
  return <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
    <rect width="32" height="32" rx="8" fill="#0b6e75"/>
    <path d="M6 12c3.3 0 3.3 3 6.7 3s3.3-3 6.6-3 3.3 3 6.7 3M6 18.500c3.3 0 3.3 3 6.7 3s3.3-3 6.6-3 3.3 3 6.7 3" fill="none" stroke="#fff" stroke-width="2.6"
      stroke-linecap="round"/>
  </svg>;
}
