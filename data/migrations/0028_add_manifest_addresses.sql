-- SPDX-License-Identifier: Apache-2.0
-- where the manifest of a low-code source is; null: the registry does not say
alter table registry_entry add column manifest_url text;
