// SPDX-License-Identifier: Apache-2.0
// An EventSource that does not give up: the browser's own ends for good at the first answer that is no stream (a session to
// be renewed, a proxy's error page).
export type Report =
  | { kind: "open" }
  | { kind: "lost" }
  | { kind: "event"; type: string; data: Record<string, unknown> };

const ADDRESS = "/api/v1/sluice/events";
const TYPES = ["connection.status", "job.state", "job.progress", "stream.status", "command.done", "definition.changed", "reset"];
const FIRST_MS = 500;
const LONGEST_MS = 15_000;
/** The server ends each stream after a while, and restarts: who is back by then was not away. */
const GRACE_MS = 2500;

/** The next wait: longer each time, not in step with others. */
export function backoff(tries: number, random: number): number {
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** tries) * (0.75 + random / 2);
}

export class EventSourceKeeper {
  private source: EventSource | null = null;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private grace: ReturnType<typeof setTimeout> | null = null;
  private tries = 0;
  private last = "";

  constructor(private readonly report: (report: Report) => void) {}

  start(): void {
    this.timer = null;
    const source = new EventSource(this.last === "" ? ADDRESS : `${ADDRESS}?lastEventId=${this.last}`);
    this.source = source;
    source.onopen = () => {
      this.tries = 0;
      this.forgive();
      this.report({kind: "open"});
    };
    source.onerror = () => {
      this.miss();
      if (source.readyState === EventSource.CLOSED) void this.revive(); // else the browser comes back by itself
    };
    for (const type of TYPES) source.addEventListener(type, event => this.onEvent(type, event as MessageEvent<string>));
  }

  stop(): void {
    this.source?.close();
    this.source = null;
    this.forgive();
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  /** Also for a server that takes the connection and says nothing. */
  private miss(): void {
    this.grace ??= setTimeout(() => this.report({kind: "lost"}), GRACE_MS);
  }

  private forgive(): void {
    if (this.grace !== null) clearTimeout(this.grace);
    this.grace = null;
  }

  private onEvent(type: string, event: MessageEvent<string>): void {
    if (event.lastEventId !== "") this.last = event.lastEventId;
    const body = JSON.parse(event.data) as { data?: Record<string, unknown> };
    this.report({kind: "event", type, data: body.data ?? {}});
  }

  /** Probably the access token is over. */
  private async revive(): Promise<void> {
    const old = this.source;
    old?.close();
    const answer = await fetch("/api/oauth/access_token", {method: "POST", keepalive: true}).catch(() => null);
    if (this.source !== old || old === null) return; // stopped meanwhile
    const wait = answer?.ok && this.tries === 0 ? 0 : backoff(this.tries, Math.random());
    this.tries++;
    this.timer = setTimeout(() => this.start(), wait);
  }
}
