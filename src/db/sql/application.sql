-- SPDX-License-Identifier: Apache-2.0

-- name: application_add
-- row: ApplicationRow
-- params: application_id uuid, user_id uuid, name text, client_id text, client_secret_hash text, now timestamptz
insert into application (application_id, user_id, name, client_id, client_secret_hash, created_at)
values ($1, $2, $3, $4, $5, $6)
returning application_id, user_id, name, client_id, client_secret_hash, created_at;

-- name: application_list
-- rows: ApplicationRow
select application_id, user_id, name, client_id, client_secret_hash, created_at
from application
order by created_at, application_id;

-- name: application_get
-- row: ApplicationRow
-- params: application_id uuid
select application_id, user_id, name, client_id, client_secret_hash, created_at
from application
where application_id = $1;

-- name: application_get_by_client
-- row: ApplicationRow
-- params: client_id text
select application_id, user_id, name, client_id, client_secret_hash, created_at
from application
where client_id = $1;

-- name: application_delete
-- row: ApplicationRow
-- params: application_id uuid
delete from application
where application_id = $1
returning application_id, user_id, name, client_id, client_secret_hash, created_at;
