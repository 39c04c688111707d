-- SPDX-License-Identifier: Apache-2.0

-- name: task_add
-- exec:
-- Twice the same step is once.
-- params: kind text, job_id int8, attempt_number int4, run_at timestamptz, now timestamptz
insert into task (kind, job_id, attempt_number, run_at, created_at)
values ($1, $2, $3, $4, $5)
on conflict (job_id, attempt_number, kind) do nothing;

-- name: task_take
-- row: Task
-- The next due step, locked for the transaction that takes it.
-- params: now timestamptz
select task_id, kind, job_id, attempt_number, run_at, tries
from task
where run_at <= $1
order by run_at, task_id
limit 1
for update skip locked;

-- name: task_delete
-- exec:
-- params: task_id int8
delete from task where task_id = $1;

-- name: task_delete_of_job
-- exec:
-- params: job_id int8
delete from task where job_id = $1;

-- name: task_postpone
-- exec:
-- params: task_id int8, run_at timestamptz
update task set tries = tries + 1, run_at = $2 where task_id = $1;

-- name: task_next_due
-- text:
select min(run_at)::text from task;

-- name: task_lock_of_job
-- exec:
-- Tasks are locked before their job, by everybody: a worker holds its task when it takes the job.
-- params: job_id int8
select task_id from task where job_id = $1 order by task_id for update;

-- name: task_defer
-- exec:
-- Not before then; no try has been made.
-- params: task_id int8, run_at timestamptz
update task set run_at = $2 where task_id = $1;

-- name: task_wake_waiting
-- int:
-- Those that wait for the end of this job; how many.
-- params: job_id int8, now timestamptz
with woken as (
    update task
    set run_at = $2
    from job j
    where j.discover_job_id = $1 and task.job_id = j.job_id and task.kind = 'attempt_start' and task.run_at > $2
    returning 1)
select count(*) from woken;
