-- SPDX-License-Identifier: Apache-2.0
-- Has the connector given itself a new configuration (CONTROL), and was it stored?
alter table attempt add column configuration_updated boolean not null default false;
