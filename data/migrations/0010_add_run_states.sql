-- SPDX-License-Identifier: Apache-2.0
-- How far each stream of an attempt is, as its orchestrator told last; rows of whole attempts (stream '') have none.
alter table attempt_stats
    add column run_state text check (run_state in ('pending', 'running', 'rate_limited', 'complete', 'incomplete')),
    add column incomplete_run_cause text check (incomplete_run_cause in ('failed', 'canceled')),
    -- when a rate limit ends, in ms
    add column quota_reset bigint,
    -- since when it is in this state
    add column run_state_at timestamptz;
