-- SPDX-License-Identifier: Apache-2.0
-- The duty that looks for silent holders reads the unfinished ones only; a million finished ones cost it a second each time.
create index workload_unfinished on workload (created_at) where finished_at is null;
