// SPDX-License-Identifier: Apache-2.0
// What the first visit has loaded already. The build lets every page begin with this (build.mjs), so that it is one file of the
// bundle and not one for each set of pages that share a part of it: the first visit is ten requests at most.
import "./lib/addresses.ts";
import "./lib/cell.ts";
import "./lib/events.ts";
import "./lib/i18n.ts";
import "./lib/preferences.ts";
import "./lib/query.ts";
import "./lib/router.ts";
import "./lib/session.ts";
import "./pages/gate.tsx";
import "./ui/controls.tsx";
import "./ui/shell.tsx";
import "./ui/toasts.tsx";
