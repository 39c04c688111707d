-- SPDX-License-Identifier: Apache-2.0
-- One leader per name, by the database's clock. The term fences: a leader's transactions say leader_hold first.
-- All three lock the row. The server ends a transaction whose process is silent for as long as a lease: who stopped in the
-- middle must not keep the next leader waiting.

-- name: leader_elect
-- int:
-- The new term, or 0 when another one holds an unexpired lease.
-- params: name text, holder text, lease_ms int8
insert into leader as l (name, holder, term, expires_at)
select $1, $2, 1, now() + $3 * interval '1 millisecond'
where set_config('idle_in_transaction_session_timeout', $3::text, true) <> ''
on conflict (name) do update
set holder = excluded.holder, term = l.term + 1, expires_at = excluded.expires_at
where l.expires_at < now()
returning term;

-- name: leader_renew
-- exec:
-- params: name text, holder text, term int8, lease_ms int8
update leader
set expires_at = now() + $4 * interval '1 millisecond'
where name = $1 and holder = $2 and term = $3 and expires_at >= now()
  and set_config('idle_in_transaction_session_timeout', $4::text, true) <> '';

-- name: leader_hold
-- int:
-- 1 when this term still leads; the row stays locked until the end of the transaction.
-- params: name text, holder text, term int8, silent_ms int8
select 1 from leader
where name = $1 and holder = $2 and term = $3 and expires_at >= now()
  and set_config('idle_in_transaction_session_timeout', $4::text, true) <> ''
for share;

-- name: leader_resign
-- exec:
-- params: name text, holder text, term int8
update leader set expires_at = now() - interval '1 second'
where name = $1 and holder = $2 and term = $3;
