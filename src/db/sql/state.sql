-- SPDX-License-Identifier: Apache-2.0

-- name: state_list
-- rows: StateRow
-- params: connection_id uuid
select type, namespace, stream, state
from state
where connection_id = $1
order by namespace, stream;

-- name: state_save
-- exec:
-- params: connection_id uuid, types text[], namespaces text[], streams text[], states text[], now timestamptz
insert into state (connection_id, type, namespace, stream, state, updated_at)
select $1, u.type, u.namespace, u.stream, u.state, $6
from unnest($2, $3, $4, $5) u(type, namespace, stream, state)
on conflict (connection_id, namespace, stream) do update
set type = excluded.type, state = excluded.state, updated_at = excluded.updated_at;

-- name: state_delete
-- exec:
-- params: connection_id uuid, namespaces text[], streams text[]
delete from state s
using unnest($2, $3) u(namespace, stream)
where s.connection_id = $1 and s.namespace = u.namespace and s.stream = u.stream;

-- name: state_forget
-- exec:
-- Streams start over. What they share goes with the last of them that has a state; with `all`, so does one state for everything.
-- params: connection_id uuid, namespaces text[], streams text[], all_of_them bool
delete from state s
where s.connection_id = $1
  and case when s.stream <> '' then (s.namespace, s.stream) in (select * from unnest($2, $3))
           when s.type = 'LEGACY' then $4
           else not exists (
                   select from state o
                   where o.connection_id = $1 and o.stream <> '' and (o.namespace, o.stream) not in (select * from unnest($2, $3)))
               and ($4 or exists (select from state o where o.connection_id = $1 and o.stream <> '')) end;

-- name: state_delete_type
-- exec:
-- params: connection_id uuid, type text
delete from state where connection_id = $1 and type = $2;

-- name: generation_list
-- rows: Generation
-- params: connection_id uuid
select distinct on (namespace, stream) namespace, stream, generation_id, truncates
from stream_generation
where connection_id = $1
order by namespace, stream, generation_id desc;

-- name: generation_bump
-- exec:
-- A generation that owes the end of the older ones hands that on.
-- params: connection_id uuid, namespaces text[], streams text[], truncates text[], job_id int8, attempt_number int4, now timestamptz
insert into stream_generation (connection_id, namespace, stream, generation_id, truncates, job_id, attempt_number, created_at)
select $1, u.namespace, u.stream, coalesce(g.generation_id, 0) + 1, u.truncates = 'yes' or coalesce(g.truncates, false), $5, $6, $7
from unnest($2, $3, $4) u(namespace, stream, truncates)
left join lateral (
    select generation_id, truncates
    from stream_generation
    where connection_id = $1 and namespace = u.namespace and stream = u.stream
    order by generation_id desc
    limit 1) g on true
on conflict (connection_id, namespace, stream, job_id, attempt_number) do nothing;

-- name: generation_settle
-- exec:
-- What a job was to end has ended: of the streams that it had.
-- params: connection_id uuid, job_id int8
update stream_generation g
set truncates = false
where g.connection_id = $1 and g.truncates
  and (not exists (select from stream_request r where r.job_id = $2 and r.kind in ('reset', 'clear'))
       or (g.namespace, g.stream) in (select r.namespace, r.stream from stream_request r where r.job_id = $2));
