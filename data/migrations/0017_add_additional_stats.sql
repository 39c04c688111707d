-- SPDX-License-Identifier: Apache-2.0
-- Numbers that destinations count themselves (destinationStats.additionalStats), summed: {name: number}.
alter table attempt_stats add additional_stats jsonb;
