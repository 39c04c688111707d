// SPDX-License-Identifier: Apache-2.0
// One stream of events for all tabs. It lives as long as there is one.
import {EventSourceKeeper, type Report} from "./lib/event-source.ts";

interface WorkerScope {
  onconnect: ((event: MessageEvent) => void) | null;
}

const ports = new Set<MessagePort>();
let state: Report | null = null;

const keeper = new EventSourceKeeper(report => {
  if (report.kind !== "event") state = report;
  for (const port of ports) port.postMessage(report);
});

(self as unknown as WorkerScope).onconnect = event => {
  const port = event.ports[0];
  if (port === undefined) return;
  port.onmessage = () => {
    ports.delete(port);
    if (ports.size === 0) keeper.stop();
  };
  ports.add(port);
  if (ports.size === 1) keeper.start();
  else if (state !== null) port.postMessage(state);
};
