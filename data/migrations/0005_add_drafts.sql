-- SPDX-License-Identifier: Apache-2.0
-- Secrets of a configuration that nobody has saved belong to the job that tries it, and go with its end.
alter table secret add column job_id bigint references job on delete cascade;
create index secret_by_job on secret (job_id) where job_id is not null;
