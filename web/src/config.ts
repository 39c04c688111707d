// SPDX-License-Identifier: Apache-2.0
// What the build knows and the code needs (build.mjs defines these).
declare const __CATALOGS__: Record<string, string>;
declare const __EVENTS__: string;

/** Language → address of its texts. */
export const catalogs: Record<string, string> = typeof __CATALOGS__ === "undefined" ? {} : __CATALOGS__;
/** Address of the worker that holds the stream of events for all tabs. */
export const eventsWorker: string = typeof __EVENTS__ === "undefined" ? "" : __EVENTS__;
