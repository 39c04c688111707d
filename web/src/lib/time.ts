// SPDX-License-Identifier: Apache-2.0
import {locale} from "./i18n.ts";

const STEPS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_536_000], ["month", 2_592_000], ["week", 604_800], ["day", 86_400], ["hour", 3_600], ["minute", 60], ["second", 1],
];

/** "3 hours ago", "in 5 minutes". */
export function relative(then: number, now: number): string {
  const seconds = (then - now) / 1000;
  const format = new Intl.RelativeTimeFormat(locale(), {numeric: "auto"});
  for (const [unit, size] of STEPS)
    if (Math.abs(seconds) >= size || unit === "second") return format.format(Math.trunc(seconds / size), unit);
  return "";
}

export function absolute(then: number): string {
  return new Intl.DateTimeFormat(locale(), {dateStyle: "medium", timeStyle: "medium"}).format(then);
}

function unit(value: number, name: string): string {
  return new Intl.NumberFormat(locale(), {style: "unit", unit: name, unitDisplay: "narrow"}).format(value);
}

/** "1h 5m", "42s": the two largest parts. */
export function duration(ms: number): string {
  let rest = Math.max(0, Math.round(ms / 1000));
  const parts: string[] = [];
  for (const [name, size] of [["day", 86_400], ["hour", 3_600], ["minute", 60], ["second", 1]] as const) {
    const value = Math.floor(rest / size);
    rest -= value * size;
    if (value > 0 || (name === "second" && parts.length === 0)) parts.push(unit(value, name));
    if (parts.length === 2) break;
  }
  return parts.join(" ");
}

export function count(value: number): string {
  return new Intl.NumberFormat(locale(), {notation: value >= 100_000 ? "compact" : "standard", maximumFractionDigits: 1}).format(value);
}

export function bytes(value: number): string {
  const names = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte", "petabyte"] as const;
  let index = 0;
  while (value >= 1000 && index < names.length - 1) {
    value /= 1000;
    index++;
  }
  return new Intl.NumberFormat(locale(), {style: "unit", unit: names[index] ?? "byte", unitDisplay: index === 0 ? "long" : "short",
    maximumFractionDigits: index === 0 || value >= 100 ? 0 : 1}).format(value);
}
