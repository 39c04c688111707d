-- SPDX-License-Identifier: Apache-2.0
-- Retries, warnings and missed runs as one connection wants them: keys of sluice.conf's [Scheduler] and their values as text, as
-- somebody would write them there. What is not named is the host's.
alter table connection add column policy jsonb not null default '{}';
