// SPDX-License-Identifier: Apache-2.0
// What is done to the records of a stream on their way, tried on a sample while one edits.
import type {JSX} from "preact";
import {useEffect, useMemo, useState} from "preact/hooks";
import * as api from "#gen/api.ts";
import {ApiError, call, type ConfigMapperValidation, type ConfigWebConnectionRead, type ConfiguredMapper, type Json, type JsonObject} from "../lib/api.ts";
import {FORMS, groupOf, newCondition, newMapper, sampleOf, withGroup, type Condition, type Group, type GroupType, type MapperField, type MapperType} from "../lib/mappers.ts";
import {_, fmt} from "../lib/i18n.ts";
import {setGuard} from "../lib/router.ts";
import {isObject, keyOf, selectedStreams, textOf, type SelectedStream} from "../lib/streams.ts";
import {Button, Empty, Field, Notice} from "../ui/controls.tsx";
import {say} from "../ui/toasts.tsx";

const ASK_MS = 300;
const DEPTH = 3; // of groups that are offered; deeper ones are shown all the same

const TYPES: Record<MapperType, () => string> = {
  "hashing": () => _("Hash a field"), "field-renaming": () => _("Rename a field"), "field-filtering": () => _("Leave out a field"), "row-filtering": () => _("Leave out records"),
  "encryption": () => _("Encrypt a field"),
};

const LABELS: Record<string, () => string> = {
  targetField: () => _("Field"), method: () => _("Method"), fieldNameSuffix: () => _("Suffix of the new name"), originalFieldName: () => _("Field"), newFieldName: () => _("New name"),
  algorithm: () => _("Algorithm"), key: () => _("Key (hex)"), publicKey: () => _("Public key (hex)"), mode: () => _("Mode of the cipher"), padding: () => _("Padding"),
};

interface StreamMappers {
  stream: SelectedStream;
  schema: Json | undefined;
  mappers: ConfiguredMapper[];
}

function mappersOf(connection: ConfigWebConnectionRead): StreamMappers[] {
  const rows = Array.isArray(connection.syncCatalog["streams"]) ? connection.syncCatalog["streams"].filter(isObject) : [];
  return selectedStreams(connection.syncCatalog).map(stream => {
    const row = rows.find(each => isObject(each["stream"]) && textOf(each["stream"]["name"]) === stream.name && textOf(each["stream"]["namespace"]) === stream.namespace);
    const config = isObject(row?.["config"]) ? row["config"] : {}, facts = isObject(row?.["stream"]) ? row["stream"] : {};
    return {stream, schema: facts["jsonSchema"], mappers: (Array.isArray(config["mappers"]) ? config["mappers"] : []) as unknown as ConfiguredMapper[]};
  });
}

interface OneProps {
  mapper: ConfiguredMapper;
  index: number;
  fields: readonly string[];
  onChange: (configuration: JsonObject) => void;
}

function Input({field, mapper, index, fields, onChange}: OneProps & { field: MapperField }): JSX.Element {
  const configuration = mapper.mapperConfiguration, value = textOf(configuration[field.name]);
  const put = (text: string) => onChange({...configuration, [field.name]: text});
  const options = field.kind === "field" ? fields : field.options ?? [];
  return <Field label={LABELS[field.name]?.() ?? field.name}>{ids => field.kind === "text"
    ? <input {...ids} class="input" value={value} spellcheck={false} autocomplete="off" onInput={event => put(event.currentTarget.value)}/>
    : field.kind === "secret" ? <input {...ids} class="input" type="password" value={value} autocomplete="new-password" onInput={event => put(event.currentTarget.value)}/>
    : <select {...ids} class="input" value={value} data-index={index} onChange={event => put(event.currentTarget.value)}>
      {!options.includes(value) && <option value={value}>{value === "" ? _("Choose one") : value}</option>}
      {options.map(option => <option key={option} value={option}>{option}</option>)}</select>}</Field>;
}

const GROUPS: Record<GroupType, () => string> = {AND: () => _("all of these are so"), OR: () => _("one of these is so"), NOT: () => _("none of these is so")};

interface GroupProps {
  group: Group;
  depth: number;
  fields: readonly string[];
  onChange: (group: Group) => void;
  onRemove?: () => void;
}

function Equal({condition, fields, onChange}: { condition: Condition & { type: "EQUAL" }; fields: readonly string[]; onChange: (condition: Condition) => void }): JSX.Element {
  const {fieldName, comparisonValue} = condition;
  return <>
    <Field label={_("Field")}>{ids => <select {...ids} class="input" value={fieldName} onChange={event => onChange({...condition, fieldName: event.currentTarget.value})}>
      {!fields.includes(fieldName) && <option value={fieldName}>{fieldName === "" ? _("Choose one") : fieldName}</option>}
      {fields.map(name => <option key={name} value={name}>{name}</option>)}</select>}</Field>
    <Field label={_("Value")}>{ids => <input {...ids} class="input" value={comparisonValue} autocomplete="off" onInput={event => onChange({...condition, comparisonValue: event.currentTarget.value})}/>}</Field>
  </>;
}

/** Conditions, and conditions of conditions. */
function Conditions({group, depth, fields, onChange, onRemove}: GroupProps): JSX.Element {
  const {conditions} = group;
  const put = (next: Condition[]) => onChange({...group, conditions: next});
  const remove = (at: number) => put(conditions.filter((_each, index) => index !== at));
  const change = (at: number, next: Condition) => put(conditions.map((each, index) => index === at ? next : each));
  return <div class="stack conditions">
    <div class="row start"><Field label={depth === 0 ? _("A record passes when") : _("It is so when")}>{ids => <select {...ids} class="input" value={group.type}
      onChange={event => onChange({...group, type: event.currentTarget.value as GroupType})}>
      {(Object.keys(GROUPS) as GroupType[]).map(type => <option key={type} value={type}>{GROUPS[type]()}</option>)}</select>}</Field>
      {onRemove && <Button kind="quiet" icon="close" label={_("Remove the group")} onClick={onRemove}>{""}</Button>}</div>
    <ul class="stack">{conditions.map((each, at) => <li key={at} class="condition">
      {each.type !== "EQUAL" ? <Conditions group={each} depth={depth + 1} fields={fields} onChange={next => change(at, next)} {...(conditions.length > 1 && {onRemove: () => remove(at)})}/>
        : <div class="row start"><Equal condition={each} fields={fields} onChange={next => change(at, next)}/>
          {conditions.length > 1 && <Button kind="quiet" icon="close" label={_("Remove the condition")} onClick={() => remove(at)}>{""}</Button>}</div>}
    </li>)}</ul>
    <div class="row"><Button onClick={() => put([...conditions, newCondition()])}>{_("Add a condition")}</Button>
      {depth < DEPTH && <Button onClick={() => put([...conditions, {type: group.type === "OR" ? "AND" : "OR", conditions: [newCondition()]}])}>{_("Add a group")}</Button>}</div>
  </div>;
}

function RowFilter({mapper, fields, onChange}: OneProps): JSX.Element {
  const group = groupOf(mapper.mapperConfiguration);
  if (group === null) return <p class="small muted">{_("These conditions are not known here; they are kept as they are.")}</p>;
  return <Conditions group={group} depth={0} fields={fields} onChange={next => onChange(withGroup(next))}/>;
}

function Mapper(props: OneProps & { count: number; fault: string | undefined; onMove: (by: number) => void; onRemove: () => void }): JSX.Element {
  const {mapper, index, count, fault, onMove, onRemove} = props;
  const title = TYPES[mapper.type as MapperType]?.() ?? mapper.type, form = FORMS[mapper.type as MapperType];
  return <li class="card card-body stack mapper">
    <div class="row"><h2 class="grow">{index + 1}. {title}</h2>
      {index > 0 && <Button kind="quiet" icon="up" label={fmt(_("Move $0 up"), title)} onClick={() => onMove(-1)}>{""}</Button>}
      {index < count - 1 && <Button kind="quiet" icon="down" label={fmt(_("Move $0 down"), title)} onClick={() => onMove(1)}>{""}</Button>}
      <Button kind="quiet" icon="close" label={fmt(_("Remove $0"), title)} onClick={onRemove}>{""}</Button></div>
    {mapper.type === "row-filtering" ? <RowFilter {...props}/> : <div class="row start">{form === undefined ? <p class="small muted">{_("This kind of mapping is not known here; it is kept as it is.")}</p>
      : form.filter(field => field.when === undefined || field.when === textOf(mapper.mapperConfiguration["algorithm"])).map(field => <Input key={field.name} {...props} field={field}/>)}</div>}
    {fault !== undefined && <p class="error">{fault}</p>}
  </li>;
}

type Tried = { validation: ConfigMapperValidation } | { error: string } | null;

/** The server does it as a run would. */
function useTrial(connectionId: string, stream: SelectedStream, mappers: ConfiguredMapper[], sample: string): Tried {
  const [tried, set] = useState<Tried>(null);
  useEffect(() => {
    const abort = new AbortController();
    const timer = setTimeout(() => {
      let record: unknown;
      try {
        record = JSON.parse(sample);
      } catch { /* without one, then */ }
      const known = isObject(record as Json | undefined) ? {sampleRecord: record as JsonObject} : {};
      call(api.configMapperValidate, {connectionId, streamDescriptor: {name: stream.name, ...(stream.namespace !== "" && {namespace: stream.namespace})}, mappers, ...known}, {signal: abort.signal})
        .then(validation => set({validation}), (error: unknown) => { if (!abort.signal.aborted) set({error: error instanceof ApiError ? error.message : String(error)}); });
    }, ASK_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [connectionId, keyOf(stream), mappers, sample]);
  return tried;
}

function Preview({tried, sample, onSample}: { tried: Tried; sample: string; onSample: (text: string) => void }): JSX.Element {
  const validation = tried !== null && "validation" in tried ? tried.validation : null;
  const error = tried !== null && "error" in tried ? tried.error : validation?.sampleError;
  return <section class="card card-body stack preview" aria-labelledby="preview"><h2 id="preview">{_("Tried on a sample")}</h2>
    <Field label={_("A record")} hint={_("Made up from the stream's schema; type your own over it.")}>{ids => <textarea {...ids} class="input mono" rows={8} spellcheck={false} value={sample}
      onInput={event => onSample(event.currentTarget.value)}/>}</Field>
    <div class="stack-small" role="status"><h3>{_("What becomes of it")}</h3>
      {error ? <p class="error">{error}</p> : validation?.sampleFiltered ? <p class="muted">{_("It is left out.")}</p>
        : validation?.sampleOutput ? <pre class="trace" tabIndex={0}>{JSON.stringify(validation.sampleOutput, null, 2)}</pre> : <p class="muted">–</p>}</div>
  </section>;
}

async function save(connectionId: string, stream: SelectedStream, mappers: ConfiguredMapper[]): Promise<void> {
  const {syncCatalog} = await call(api.configConnectionGet, {connectionId});
  const rows = (Array.isArray(syncCatalog["streams"]) ? syncCatalog["streams"] : []).map(row => {
    if (!isObject(row) || !isObject(row["stream"]) || !isObject(row["config"]) || textOf(row["stream"]["name"]) !== stream.name || textOf(row["stream"]["namespace"]) !== stream.namespace) return row;
    return {...row, config: {...row["config"], mappers: mappers as unknown as Json}};
  });
  await call(api.configConnectionUpdate, {connectionId, syncCatalog: {streams: rows}});
}

function Editor({connection, of, onSaved}: { connection: ConfigWebConnectionRead; of: StreamMappers; onSaved: () => Promise<void> }): JSX.Element {
  const [mappers, setMappers] = useState(of.mappers);
  const [changed, setChanged] = useState(false);
  const [sample, setSample] = useState(() => JSON.stringify(sampleOf(of.schema), null, 2));
  const [error, setError] = useState<string | null>(null);
  const tried = useTrial(connection.connectionId, of.stream, mappers, sample);
  const results = tried !== null && "validation" in tried ? tried.validation.mappers : [];
  const fields = (index: number): string[] => (results[index]?.inputFields ?? []).map(field => field.name);

  function change(next: ConfiguredMapper[]): void {
    setMappers(next);
    setChanged(true);
    setGuard(() => _("What you have changed is not saved. Leave the page?"));
  }

  async function submit(): Promise<void> {
    try {
      await save(connection.connectionId, of.stream, mappers);
      setGuard(null);
      setChanged(false);
      setError(null);
      say("ok", _("The mappings are saved."));
      await onSaved();
    } catch (failed) {
      setError(failed instanceof Error ? failed.message : String(failed));
    }
  }

  return <div class="mapping-grid">
    <div class="stack">
      {mappers.length === 0 ? <div class="card"><Empty icon="arrow" title={_("Records pass as they are")}><p>{_("A mapping changes them before they are written: what is hashed, encrypted or left out never reaches the destination.")}</p></Empty></div>
        : <ol class="stack">{mappers.map((mapper, index) => <Mapper key={mapper.id ?? index} mapper={mapper} index={index} count={mappers.length} fields={fields(index)} fault={results[index]?.validationError?.message}
          onChange={mapperConfiguration => change(mappers.map((each, at) => at === index ? {...each, mapperConfiguration} : each))}
          onMove={by => { const next = [...mappers]; next.splice(index + by, 0, ...next.splice(index, 1)); change(next); }}
          onRemove={() => change(mappers.filter((_each, at) => at !== index))}/>)}</ol>}
      <div class="row"><label class="said" for="add-mapping">{_("Add a mapping")}</label><select id="add-mapping" class="input narrow" value="" onChange={event => {
        if (event.currentTarget.value !== "") change([...mappers, newMapper(event.currentTarget.value as MapperType)]);
        event.currentTarget.value = "";
      }}><option value="">{_("Add a mapping")}</option>{(Object.keys(TYPES) as MapperType[]).map(type => <option key={type} value={type}>{TYPES[type]()}</option>)}</select></div>
      {error !== null && <Notice tone="bad">{error}</Notice>}
      {changed && <div class="foot-bar" role="group" aria-label={_("Go on")}><div class="row"><span class="small grow">{_("Records are written so from the next run on; those that are there stay as they are.")}</span>
        <Button onClick={() => { setMappers(of.mappers); setChanged(false); setGuard(null); }}>{_("Undo")}</Button><Button kind="primary" onClick={() => void submit()}>{_("Save")}</Button></div></div>}
    </div>
    <Preview tried={tried} sample={sample} onSample={setSample}/>
  </div>;
}

export function MappingsTab({connection, onSaved}: { connection: ConfigWebConnectionRead; onSaved: () => Promise<void> }): JSX.Element {
  const all = useMemo(() => mappersOf(connection), [connection.syncCatalog]);
  const [key, setKey] = useState(() => keyOf((all.find(each => each.mappers.length > 0) ?? all[0])?.stream ?? {name: "", namespace: ""}));
  const chosen = all.find(each => keyOf(each.stream) === key) ?? all[0];
  if (chosen === undefined) return <div class="card"><Empty icon="none" title={_("No stream is selected")}/></div>;
  return <div class="stack">
    <div class="narrow-form"><Field label={_("Stream")}>{ids => <select {...ids} class="input" value={keyOf(chosen.stream)} onChange={event => setKey(event.currentTarget.value)}>
      {all.map(({stream, mappers}) => <option key={keyOf(stream)} value={keyOf(stream)}>{stream.namespace !== "" ? `${stream.namespace}.` : ""}{stream.name}{mappers.length > 0 ? ` (${mappers.length})` : ""}</option>)}</select>}</Field></div>
    <Editor key={keyOf(chosen.stream)} connection={connection} of={chosen} onSaved={onSaved}/>
  </div>;
}
