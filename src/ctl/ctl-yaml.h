/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-json-read.h"

/* Appends the value as YAML 1.2 in blocks, ended by a newline. Every reader gets from it what it
 * gets from the JSON: a text that could be taken for something else is quoted. */
void ctl_yaml_append(GString *out, const SlJsonDoc *doc, const SlJsonNode *node);
