-- SPDX-License-Identifier: Apache-2.0
-- The outbox. Columns of workspace.notifications: {TRIGGER: {webhook: {enabled, url}, email: {enabled}}}.

-- name: notification_add_of_job
-- exec:
-- The end of a run, for all that want to hear of it: success and failure of syncs by the workspace's settings, and what the
-- connection starts after a sync or refresh. A mail goes to the workspace's address, else to its organization's, else to the
-- host's (target '-').
-- params: job_id int8
with run as (
    select j.job_id, j.config_type, j.status, j.finished_at, c.connection_id, c.workspace_id, w.notifications,
        case j.status when 'succeeded' then 'success' else 'failure' end as trigger,
        case j.status when 'succeeded' then c.on_sync_success else c.on_sync_failure end as action,
        coalesce(nullif(w.settings ->> 'email', ''), nullif(o.email, ''), '-') as email,
        jsonb_strip_nulls(jsonb_build_object(
            'workspace', jsonb_build_object('id', w.workspace_id, 'name', w.name),
            'connection', jsonb_build_object('id', c.connection_id, 'name', c.name),
            'source', jsonb_build_object('id', s.actor_id, 'name', s.name),
            'destination', jsonb_build_object('id', d.actor_id, 'name', d.name),
            'jobId', j.job_id, 'success', j.status = 'succeeded',
            'startedAt', to_char(coalesce(j.started_at, j.created_at) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
            'finishedAt', to_char(j.finished_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
            'durationInSeconds', floor(extract(epoch from j.finished_at - coalesce(j.started_at, j.created_at)))::bigint,
            'bytesEmitted', t.bytes_emitted, 'bytesCommitted', t.bytes_committed,
            'recordsEmitted', t.records_emitted, 'recordsCommitted', t.records_committed,
            'recordsFilteredOut', t.records_filtered_out, 'bytesFilteredOut', t.bytes_filtered_out,
            'errorMessage', coalesce(f.failure ->> 'externalMessage', f.failure ->> 'internalMessage'),
            'errorType', f.failure ->> 'failureType', 'errorOrigin', f.failure ->> 'failureOrigin')) as facts
    from job j
    join connection c on c.connection_id = j.scope
    join workspace w on w.workspace_id = c.workspace_id
    join organization o on o.organization_id = w.organization_id
    join actor s on s.actor_id = c.source_id
    join actor d on d.actor_id = c.destination_id
    cross join lateral (select case when j.status = 'failed' then j.failure -> 'failures' -> 0 end as failure) f
    cross join lateral (
        select coalesce(sum(bytes_emitted), 0)::bigint as bytes_emitted,
            coalesce(sum(bytes_committed), 0)::bigint as bytes_committed,
            coalesce(sum(records_emitted), 0)::bigint as records_emitted,
            coalesce(sum(records_committed), 0)::bigint as records_committed,
            coalesce(sum(records_filtered_out), 0)::bigint as records_filtered_out,
            coalesce(sum(bytes_filtered_out), 0)::bigint as bytes_filtered_out
        from attempt_stats
        where attempt_stats.job_id = j.job_id and stream = '') t
    where j.job_id = $1 and j.config_type in ('sync', 'refresh') and j.status in ('succeeded', 'failed'))
insert into notification (notification_id, workspace_id, connection_id, job_id, trigger, channel, target, facts, due_at, created_at)
select gen_random_uuid(), workspace_id, connection_id, job_id, told.trigger, told.channel, told.target, facts, finished_at,
    finished_at
from run
cross join lateral (
    values (trigger, 'webhook', notifications -> trigger -> 'webhook' ->> 'url',
            config_type = 'sync' and notifications -> trigger -> 'webhook' ->> 'enabled' = 'true'),
        (trigger, 'email', email, config_type = 'sync' and notifications -> trigger -> 'email' ->> 'enabled' = 'true'),
        ('postSync', case when action ~* '^https?://' then 'webhook' else 'unit' end, action, true)
    ) told (trigger, channel, target, wanted)
where told.wanted and told.target <> ''
on conflict (job_id, trigger, channel, target) where job_id is not null do nothing;

-- name: notification_add
-- exec:
-- What is not the end of a run. `facts` go beside the names. A connection may be silent about changes of its schema.
-- params: connection_id uuid, trigger text, facts jsonb, now timestamptz
insert into notification (notification_id, workspace_id, connection_id, trigger, channel, target, facts, due_at, created_at)
select gen_random_uuid(), c.workspace_id, c.connection_id, $2, told.channel, told.target,
    jsonb_build_object(
        'workspace', jsonb_build_object('id', w.workspace_id, 'name', w.name),
        'connection', jsonb_build_object('id', c.connection_id, 'name', c.name),
        'source', jsonb_build_object('id', s.actor_id, 'name', s.name),
        'destination', jsonb_build_object('id', d.actor_id, 'name', d.name)) || $3, $4, $4
from connection c
join workspace w on w.workspace_id = c.workspace_id
join organization o on o.organization_id = w.organization_id
join actor s on s.actor_id = c.source_id
join actor d on d.actor_id = c.destination_id
cross join lateral (
    values ('webhook', w.notifications -> $2 -> 'webhook' ->> 'url', w.notifications -> $2 -> 'webhook' ->> 'enabled' = 'true'
            and (c.notify_schema_changes or $2 not like 'connectionUpdate%')),
        ('email', coalesce(nullif(w.settings ->> 'email', ''), nullif(o.email, ''), '-'),
            w.notifications -> $2 -> 'email' ->> 'enabled' = 'true'
            and (c.notify_schema_changes_by_email or $2 not like 'connectionUpdate%'))
    ) told (channel, target, wanted)
where c.connection_id = $1 and told.wanted and told.target <> '';

-- name: notification_hold
-- exec:
-- Until the end of the transaction: two that claim at the same time would not see each other's targets.
select pg_advisory_xact_lock(hashtext('sluice notification'));

-- name: notification_claim
-- row: Notification
-- The next one that is due, for a while; none to a target that somebody is talking to.
-- params: now timestamptz, until timestamptz
update notification
set tries = tries + 1, claimed_until = $2
where notification_id = (
    select n.notification_id
    from notification n
    where n.due_at <= $1 and (n.claimed_until is null or n.claimed_until <= $1)
      and not exists (
        select from notification other
        where other.channel = n.channel and other.target = n.target and other.claimed_until > $1)
    order by n.due_at, n.seq
    limit 1
    for update skip locked)
returning notification_id, workspace_id, connection_id, job_id, trigger, channel, target, facts, tries, created_at;

-- name: notification_finish
-- exec:
-- Sent, or given up with an error; zero rows: somebody else has claimed it meanwhile.
-- params: notification_id uuid, tries int4, sent_at timestamptz?, reason text
update notification
set due_at = null, claimed_until = null, sent_at = $3, error = $4
where notification_id = $1 and tries = $2 and due_at is not null;

-- name: notification_postpone
-- exec:
-- With it all others to the same target wait: one try tells about the target.
-- params: notification_id uuid, tries int4, due_at timestamptz, reason text
with failed as (
    update notification
    set due_at = $3, claimed_until = null, error = $4
    where notification_id = $1 and tries = $2 and due_at is not null
    returning notification_id, channel, target)
update notification n
set due_at = $3
from failed f
where n.channel = f.channel and n.target = f.target and n.notification_id <> f.notification_id
  and n.due_at < $3 and n.claimed_until is null;

-- name: notification_look_ahead
-- row: OutboxRow
-- Does something wait that nobody has, and when is the next one due?
-- params: now timestamptz
select exists (
        select from notification
        where due_at <= $1 and (claimed_until is null or claimed_until <= $1)) as waiting,
    (select min(greatest(due_at, claimed_until)) from notification
     where due_at is not null and (due_at > $1 or claimed_until > $1)) as next;

-- name: notification_delete_old
-- exec:
-- params: before timestamptz, batch int8
delete from notification
where notification_id in (
    select notification_id from notification
    where due_at is null and created_at < $1
    order by created_at
    limit $2);
