-- SPDX-License-Identifier: Apache-2.0
-- A page of all connections, or of most: in order, without sorting them all.
create index connection_in_order on connection (created_at, connection_id);
