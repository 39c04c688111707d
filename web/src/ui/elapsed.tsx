// SPDX-License-Identifier: Apache-2.0
import type {JSX} from "preact";
import {useEffect, useState} from "preact/hooks";
import {duration} from "../lib/time.ts";

/** How long something has taken until now. */
export function Elapsed({since}: { since: number }): JSX.Element {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick(n => n + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  return <span class="number">{duration(Date.now() - since)}</span>;
}
