-- SPDX-License-Identifier: Apache-2.0
-- {dataChannel: {version, supportedSerialization, supportedTransport}}: what the connector can beside pipes (src/channel).
alter table actor_definition add column ipc_options jsonb not null default '{}';
