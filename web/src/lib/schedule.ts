// SPDX-License-Identifier: Apache-2.0
// When a connection runs, in words.
import type {ConfigScheduleData, ConfigScheduleType} from "./api.ts";
import {_, fmt, ngettext} from "./i18n.ts";

type Basic = NonNullable<ConfigScheduleData["basicSchedule"]>;

function every({timeUnit, units}: Basic): string {
  switch (timeUnit) {
    case "minutes": return ngettext("Every minute", "Every $0 minutes", units, units);
    case "hours": return ngettext("Every hour", "Every $0 hours", units, units);
    case "days": return ngettext("Every day", "Every $0 days", units, units);
    case "weeks": return ngettext("Every week", "Every $0 weeks", units, units);
    case "months": return ngettext("Every month", "Every $0 months", units, units);
  }
}

export function scheduleText(type: ConfigScheduleType | undefined, data: ConfigScheduleData | undefined): string {
  if (type === "basic" && data?.basicSchedule) return every(data.basicSchedule);
  if (type === "cron" && data?.cron) return fmt(_("Cron $0"), data.cron.cronExpression);
  return _("Manual");
}
