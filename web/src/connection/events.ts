// SPDX-License-Identifier: Apache-2.0
import type {PageEvent} from "../lib/events.ts";

/** After which a connection is another one. A deleted one is not asked for again. */
export const concerns = (id: string) => (event: PageEvent): boolean =>
  event.data["connectionId"] === id && event.type === "connection.status" && event.data["status"] !== "deprecated";
