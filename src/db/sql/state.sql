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

-- name: state_delete_type
-- exec:
-- params: connection_id uuid, type text
delete from state where connection_id = $1 and type = $2;

-- name: generation_list
-- rows: Generation
-- params: connection_id uuid
select namespace, stream, max(generation_id) as generation_id
from stream_generation
where connection_id = $1
group by namespace, stream;

-- name: generation_bump
-- exec:
-- params: connection_id uuid, namespaces text[], streams text[], job_id int8, attempt_number int4, now timestamptz
insert into stream_generation (connection_id, namespace, stream, generation_id, job_id, attempt_number, created_at)
select $1, u.namespace, u.stream,
    coalesce((select max(g.generation_id) from stream_generation g
              where g.connection_id = $1 and g.namespace = u.namespace and g.stream = u.stream), 0) + 1,
    $4, $5, $6
from unnest($2, $3) u(namespace, stream)
on conflict (connection_id, namespace, stream, job_id, attempt_number) do nothing;
