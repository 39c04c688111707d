-- SPDX-License-Identifier: Apache-2.0

-- name: secret_add
-- exec:
-- params: secret_id uuid, workspace_id uuid, actor_id uuid?, connection_id uuid?, key_id text, sealed text, now timestamptz
insert into secret (secret_id, workspace_id, actor_id, connection_id, key_id, sealed, created_at)
values ($1, $2, $3, $4, $5, $6, $7);

-- name: secret_list
-- rows: Secret
-- params: secret_ids uuid[]
select secret_id, workspace_id, key_id, sealed
from secret
where secret_id = any($1);

-- name: secret_give_to_job
-- exec:
-- Those that are nobody's yet; an actor's stay the actor's.
-- params: job_id int8, secret_ids uuid[]
update secret
set job_id = $1
where secret_id = any($2) and actor_id is null and connection_id is null and job_id is null;

-- name: secret_delete_loose
-- exec:
-- Of those that have no owner, what is no longer referred to.
-- params: secret_ids uuid[], kept uuid[]
delete from secret
where secret_id = any($1) and secret_id <> all($2) and actor_id is null and connection_id is null and job_id is null;

-- name: secret_delete_unused
-- exec:
-- What an actor's configuration no longer refers to.
-- params: actor_id uuid, kept uuid[]
delete from secret
where actor_id = $1 and secret_id <> all($2);

-- name: secret_delete_unused_of_connection
-- exec:
-- What a connection's mappers no longer refer to.
-- params: connection_id uuid, kept uuid[]
delete from secret
where connection_id = $1 and secret_id <> all($2);

-- name: secret_list_old
-- rows: Secret
-- Sealed with one of these keys; locked, so that nobody seals them anew meanwhile.
-- params: key_ids text[], max int8
select secret_id, workspace_id, key_id, sealed
from secret
where key_id = any($1)
order by secret_id
limit $2
for update;

-- name: secret_set_sealed
-- exec:
-- params: secret_id uuid, key_id text, sealed text
update secret
set key_id = $2, sealed = $3
where secret_id = $1;

-- name: secret_wait_for_writers
-- exec:
-- Share mode waits for every transaction that has written a secret or an application, even of a process that is gone.
-- params:
lock table secret, application in share mode;

-- name: secret_count_by_key
-- rows: SecretKeyCount
-- params:
select key_id, count(*) as secrets
from secret
group by key_id
order by key_id;
