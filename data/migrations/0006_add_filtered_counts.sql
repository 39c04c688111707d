-- SPDX-License-Identifier: Apache-2.0
-- Records that a mapper did not let pass: emitted, and never to be committed.
alter table attempt_stats
    add column records_filtered_out bigint not null default 0,
    add column bytes_filtered_out bigint not null default 0;
