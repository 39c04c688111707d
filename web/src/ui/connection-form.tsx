// SPDX-License-Identifier: Apache-2.0
// When a connection runs, how its streams are called, and what happens when the source changes.
import type {ComponentChildren, JSX} from "preact";
import {useEffect, useState} from "preact/hooks";
import * as api from "#gen/api.ts";
import {ApiError, call, type ConfigCron} from "../lib/api.ts";
import {isZone, placeOf, POLICIES, UNITS, type Place, type Policy, type Settings, type SettingsField, type Unit} from "../lib/connection-settings.ts";
import {_, fmt, locale} from "../lib/i18n.ts";
import {relative} from "../lib/time.ts";
import {Field, TextField} from "./controls.tsx";
import {Icon} from "./icons.tsx";

const UNIT_TEXTS: Record<Unit, () => string> = {
  minutes: () => _("minutes"), hours: () => _("hours"), days: () => _("days"), weeks: () => _("weeks"), months: () => _("months"),
};

const POLICY_TEXTS: Record<Policy, [() => string, () => string]> = {
  ignore: [() => _("Leave everything as it is"), () => _("New fields and streams are offered on the schema page, and wait there.")],
  disable: [() => _("Disable the connection"), () => _("Nothing runs until somebody has looked at the change.")],
  propagate_columns: [() => _("Take over new and removed fields"), () => _("Of the streams that are taken; new streams wait for you.")],
  propagate_fully: [() => _("Take over fields and streams"), () => _("New streams are taken too. What was written is never removed.")],
};

export function policyText(policy: Policy): string {
  return POLICY_TEXTS[policy][0]();
}

const ASK_MS = 300;

type Next = { cron: ConfigCron } | { error: string } | null;

/** The server knows when it would run. Asked when nothing has been typed for a moment. */
function useNextRuns(expression: string, zone: string): Next {
  const [next, set] = useState<Next>(null);
  useEffect(() => {
    set(null);
    if (expression.trim() === "" || !isZone(zone)) return undefined;
    const abort = new AbortController();
    const timer = setTimeout(() => {
      call(api.configDescribeCron, {cronExpression: expression.trim(), cronTimeZone: zone}, {signal: abort.signal}).then(cron => set({cron}), (error: unknown) => {
        if (!abort.signal.aborted) set({error: error instanceof ApiError ? error.message : String(error)});
      });
    }, ASK_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [expression, zone]);
  return next;
}

function NextRuns({next, zone}: { next: Next; zone: string }): JSX.Element | null {
  if (next === null) return null;
  if ("error" in next) return <p class="error"><Icon name="bad"/>{next.error}</p>;
  const format = new Intl.DateTimeFormat(locale(), {dateStyle: "full", timeStyle: "short", timeZone: zone});
  const times = next.cron.nextExecutions;
  if (times.length === 0) return <p class="small muted">{_("It will never run again.")}</p>;
  return <div class="small"><p class="muted">{_("The next runs:")}</p><ul class="next-runs">{times.map((time, index) => <li key={time}>
    {format.format(time * 1000)}{index === 0 && <span class="muted"> · {relative(time * 1000, Date.now())}</span>}</li>)}</ul></div>;
}

interface PartProps {
  settings: Settings;
  problems: Partial<Record<SettingsField, string>>;
  onChange: (changes: Partial<Settings>) => void;
}

function Radio<T extends string>({name, value, chosen, onChoose, title, text, children}: { name: string; value: T; chosen: T; onChoose: (value: T) => void; title: string;
    text?: string; children?: ComponentChildren }): JSX.Element {
  const on = value === chosen;
  return <div class={`option${on ? " on" : ""}`}>
    <label><input type="radio" class="box" name={name} checked={on} onChange={() => onChoose(value)}/>
      <span><span class="option-title">{title}</span>{text !== undefined && <span class="small muted option-text">{text}</span>}</span></label>
    {on && children !== undefined && <div class="option-body stack">{children}</div>}
  </div>;
}

function Schedule({settings, problems, onChange}: PartProps): JSX.Element {
  const choose = (schedule: Settings["schedule"]) => onChange({schedule});
  const next = useNextRuns(settings.schedule === "cron" ? settings.cron : "", settings.zone.trim());
  return <fieldset class="card card-body stack"><legend class="said">{_("When it runs")}</legend><h2 aria-hidden="true">{_("When it runs")}</h2>
    <div class="options">
      <Radio name="schedule" value="basic" chosen={settings.schedule} onChoose={choose} title={_("At an interval")} text={_("The first run begins at once, each next one that long after the one before.")}>
        <div class="row start"><Field label={_("Every")} error={problems.every ?? null}>{ids => <input {...ids} class="input tiny" inputMode="numeric" value={settings.every} autocomplete="off"
          onInput={event => onChange({every: event.currentTarget.value.trim()})}/>}</Field>
        <Field label={_("Unit")}>{ids => <select {...ids} class="input" value={settings.unit} onChange={event => onChange({unit: event.currentTarget.value as Unit})}>
          {UNITS.map(unit => <option key={unit} value={unit}>{UNIT_TEXTS[unit]()}</option>)}</select>}</Field></div>
      </Radio>
      <Radio name="schedule" value="cron" chosen={settings.schedule} onChoose={choose} title={_("At given times")} text={_("A Quartz cron expression.")}>
        <div class="row start">
          <Field label={_("Cron expression")} error={problems.cron ?? null} hint={_("Second, minute, hour, day, month, weekday: 0 30 6 ? * MON-FRI is half past six on workdays.")}>
            {ids => <input {...ids} class="input mono" value={settings.cron} spellcheck={false} autocomplete="off" onInput={event => onChange({cron: event.currentTarget.value})}/>}</Field>
          <Field label={_("Time zone")} error={problems.zone ?? null}>{ids => <><input {...ids} class="input" value={settings.zone} list="time-zones" spellcheck={false} autocomplete="off"
            onInput={event => onChange({zone: event.currentTarget.value})}/>
            <datalist id="time-zones">{["UTC", ...Intl.supportedValuesOf("timeZone")].map(zone => <option key={zone} value={zone}/>)}</datalist></>}</Field>
        </div>
        <NextRuns next={next} zone={settings.zone.trim()}/>
      </Radio>
      <Radio name="schedule" value="manual" chosen={settings.schedule} onChoose={choose} title={_("Only when somebody says so")}/>
    </div>
  </fieldset>;
}

function Example({stream, settings}: { stream: Place; settings: Settings }): JSX.Element {
  const own = _("default"), to = placeOf(stream, settings, own);
  const from = stream.namespace === "" ? stream.name : `${stream.namespace}.${stream.name}`;
  return <p class="example" role="status"><span class="small muted">{_("For example")}</span> <code>{from}</code> <span aria-hidden="true">→</span><span class="said">{_("to")}</span>{" "}
    <code>{to.namespace === own ? <em>{own}</em> : to.namespace}.{to.name}</code></p>;
}

function Names({settings, problems, onChange, example}: PartProps & { example: Place }): JSX.Element {
  const choose = (namespace: Settings["namespace"]) => onChange({namespace});
  return <fieldset class="card card-body stack"><legend class="said">{_("Where streams come out")}</legend><h2 aria-hidden="true">{_("Where streams come out")}</h2>
    <div class="options">
      <Radio name="namespace" value="destination" chosen={settings.namespace} onChoose={choose} title={_("The destination's default")} text={_("The schema or folder that is named in its settings.")}/>
      <Radio name="namespace" value="source" chosen={settings.namespace} onChoose={choose} title={_("As in the source")}/>
      <Radio name="namespace" value="customformat" chosen={settings.namespace} onChoose={choose} title={_("A name of its own")}>
        <Field label={_("Namespace")} error={problems.format ?? null} hint={fmt(_("$0 stands for the source's."), "${SOURCE_NAMESPACE}")}>{ids => <input {...ids} class="input mono" value={settings.format}
          spellcheck={false} autocomplete="off" onInput={event => onChange({format: event.currentTarget.value})}/>}</Field>
      </Radio>
    </div>
    <TextField label={_("Prefix of streams")} optional value={settings.prefix} onInput={prefix => onChange({prefix})} autocomplete="off"/>
    <Example stream={example} settings={settings}/>
  </fieldset>;
}

function Policies({settings, onChange}: PartProps): JSX.Element {
  return <fieldset class="card card-body stack"><legend class="said">{_("When the source's schema changes")}</legend><h2 aria-hidden="true">{_("When the source's schema changes")}</h2>
    <div class="options">{POLICIES.map(policy => <Radio key={policy} name="policy" value={policy} chosen={settings.policy} onChoose={value => onChange({policy: value})}
      title={POLICY_TEXTS[policy][0]()} text={POLICY_TEXTS[policy][1]()}/>)}</div>
    <div class="stack-small">
      <label class="check"><input type="checkbox" checked={settings.backfill} onChange={event => onChange({backfill: event.currentTarget.checked})}/>{_("Read streams again from the beginning when they get new fields")}</label>
      <label class="check"><input type="checkbox" checked={settings.notify} onChange={event => onChange({notify: event.currentTarget.checked})}/>{_("Tell the workspace's webhook of changes")}</label>
      <label class="check"><input type="checkbox" checked={settings.notifyByEmail} onChange={event => onChange({notifyByEmail: event.currentTarget.checked})}/>{_("Tell of changes by e-mail")}</label>
    </div>
  </fieldset>;
}

/** `example`: a stream that the connection takes. */
export function ConnectionForm({settings, problems, onChange, example}: PartProps & { example: Place }): JSX.Element {
  const parts = {settings, problems, onChange};
  return <>
    <div class="card card-body"><TextField label={_("Name")} value={settings.name} onInput={name => onChange({name})} error={problems.name ?? null} autocomplete="off"/></div>
    <Schedule {...parts}/>
    <Names {...parts} example={example}/>
    <Policies {...parts}/>
  </>;
}
