// SPDX-License-Identifier: Apache-2.0
// Of a long list only what is on the screen is in the document.
import type {RefObject} from "preact";
import {useEffect, useLayoutEffect, useRef, useState} from "preact/hooks";

export interface Range {
  first: number;
  end: number;
}

const SPARE = 12;

/** Rows of a list of `total` rows of `height` each, of which `top` is what has been scrolled past (negative: not yet there). */
export function visibleRange(top: number, view: number, height: number, total: number): Range {
  const first = Math.max(0, Math.min(total, Math.floor(top / height) - SPARE));
  return {first, end: Math.max(first, Math.min(total, Math.ceil((top + view) / height) + SPARE))};
}

/** The range to render in a table body that scrolls with the window, or in `box`; the height of rows is measured. */
export function useWindow(total: number, box?: RefObject<HTMLElement | null>): { body: RefObject<HTMLTableSectionElement | null>; range: Range; height: number } {
  const body = useRef<HTMLTableSectionElement>(null);
  const [height, setHeight] = useState(60);
  const [range, setRange] = useState<Range>({first: 0, end: Math.min(total, 40)});

  function look(): void {
    if (body.current === null) return;
    const frame = box?.current, above = frame?.getBoundingClientRect().top ?? 0;
    const next = visibleRange(above - body.current.getBoundingClientRect().top, frame?.clientHeight ?? window.innerHeight, height, total);
    setRange(now => now.first === next.first && now.end === next.end ? now : next);
  }

  function measure(): void {
    const row = body.current?.querySelector("tr:not(.spacer)");
    const found = row?.getBoundingClientRect().height ?? 0;
    if (found > 0) setHeight(found);
  }

  useLayoutEffect(() => {
    measure();
    look();
  }, [total, height]);
  useEffect(() => {
    let asked = 0;
    const later = () => {
      asked ||= requestAnimationFrame(() => {
        asked = 0;
        measure();
        look();
      });
    };
    const scrolled = box?.current ?? window;
    scrolled.addEventListener("scroll", later, {passive: true});
    window.addEventListener("resize", later);
    return () => {
      cancelAnimationFrame(asked);
      scrolled.removeEventListener("scroll", later);
      window.removeEventListener("resize", later);
    };
  }, [total, height]);
  return {body, range: {first: Math.min(range.first, total), end: Math.min(range.end, total)}, height};
}
