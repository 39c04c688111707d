// SPDX-License-Identifier: Apache-2.0
// Why something went wrong: the connector's own words, who said them and about what.
import type {ComponentChildren, JSX} from "preact";
import {_, fmt} from "../lib/i18n.ts";
import type {Failure} from "../lib/streams.ts";
import {Icon} from "./icons.tsx";

const ORIGINS: Record<string, () => string> = {
  source: () => _("The source"), destination: () => _("The destination"), replication: () => _("The run itself"),
  airbyte_platform: () => _("The platform"), platform: () => _("The platform"), persistence: () => _("The database of the platform"),
};

const TYPES: Record<string, () => string> = {
  config_error: () => _("something in its settings is wrong; trying again will not help"),
  system_error: () => _("an error of the connector"),
  transient_error: () => _("a passing error; the next attempt may succeed"),
  manual_cancellation: () => _("it was cancelled"),
};

export function FailureCard({failure, children}: { failure: Failure; children?: ComponentChildren }): JSX.Element {
  const origin = ORIGINS[failure.origin]?.() ?? failure.origin;
  const type = TYPES[failure.type]?.() ?? failure.type;
  return <section class="card failure" aria-label={_("Why it failed")}>
    <div class="card-body stack">
      <div class="failure-head"><Icon name="bad" size={20}/><div class="stack-small grow">
        <p class="failure-text">{failure.message || _("It failed without saying why.")}</p>
        <p class="small muted">{[origin, type].filter(text => text !== "").join(": ")}{failure.stream !== "" && <> · {fmt(_("stream $0"), failure.stream)}</>}</p>
      </div></div>
      {(failure.detail !== "" || failure.trace !== "") && <details><summary>{_("Details for who looks after the connector")}</summary>
        <pre class="trace" tabIndex={0}>{[failure.detail, failure.trace].filter(text => text !== "").join("\n\n")}</pre></details>}
      {children}
    </div>
  </section>;
}
