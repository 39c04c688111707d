/* SPDX-License-Identifier: Apache-2.0 */
import java.text.ParseException;
import java.util.Arrays;
import java.util.Date;
import java.util.Random;
import java.util.TimeZone;
import org.quartz.CronExpression;

/* Fire times of random expressions, as Quartz itself computes them:
 *     EXPRESSION TAB ZONE TAB START TAB TIME TIME …   (seconds since 1970; fewer times: there are no more; -: none)
 *     EXPRESSION TAB ! (Quartz refuses it)
 * Usage: QuartzVectors SEED COUNT TIMES [ZONE START] (START: where its two years begin, in seconds) */
public class QuartzVectors {
    static final String[] ZONES = {"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe",
        "Asia/Kolkata", "America/St_Johns", "Pacific/Auckland"};
    static final String[] MONTHS = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
    static final String[] DAYS = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};
    static Random dice;

    static String pick(String... of) { return of[dice.nextInt(of.length)]; }
    static int from(int min, int max) { return min + dice.nextInt(max - min + 1); }

    /* One element of a field whose values go from min to max. */
    static String item(int min, int max, String[] names) {
        int a = from(min, max), b = from(min, max);
        String x = names != null && dice.nextBoolean() ? names[a - 1] : "" + a;
        String y = names != null && !Character.isDigit(x.charAt(0)) ? names[b - 1] : "" + b;
        switch (dice.nextInt(6)) {
        case 0: return x + "-" + y;
        case 1: return "" + a + "/" + from(1, Math.max(1, max / 2));
        case 2: return "*/" + from(1, Math.max(1, max / 2));
        case 3: return Math.min(a, b) + "-" + Math.max(a, b) + "/" + from(1, Math.max(1, max / 3));
        default: return x;
        }
    }

    static String field(int min, int max, String[] names, double any) {
        if (dice.nextDouble() < any) return "*";
        String[] items = new String[dice.nextInt(4) == 0 ? from(2, 4) : 1];
        for (int i = 0; i < items.length; i++) items[i] = items.length == 1 ? item(min, max, names) : "" + from(min, max);
        return String.join(",", items);
    }

    static String dayOfMonth() {
        switch (dice.nextInt(9)) {
        case 0: return "L";
        case 1: return "L-" + from(1, 30);
        case 2: return "LW";
        case 3: return from(1, 28) + "W"; /* beyond, Quartz looks at days of the next month */
        default: return field(1, 31, null, 0.4);
        }
    }

    static String dayOfWeek() {
        switch (dice.nextInt(7)) {
        case 0: return pick("L", from(1, 7) + "L", DAYS[from(0, 6)] + "L");
        case 1: return from(1, 7) + "#" + from(1, 5);
        case 2: return DAYS[from(0, 6)] + "#" + from(1, 5);
        default: return field(1, 7, DAYS, 0.3);
        }
    }

    static String expression() {
        boolean monthDay = dice.nextBoolean();
        String hour = dice.nextInt(3) == 0 ? "" + from(0, 4) : field(0, 23, null, 0.4);
        String text = (dice.nextInt(4) > 0 ? "" + from(0, 59) : field(0, 59, null, 0.1)) + " " + field(0, 59, null, 0.2) + " " + hour
            + " " + (monthDay ? dayOfMonth() : "?") + " " + field(1, 12, MONTHS, 0.6) + " " + (monthDay ? "?" : dayOfWeek());
        if (dice.nextInt(6) == 0) text += " " + pick("*", "2026-2028", "2027", "2026/2", "2030,2034");
        return text;
    }

    public static void main(String[] args) {
        dice = new Random(Long.parseLong(args[0]));
        TimeZone.setDefault(TimeZone.getTimeZone("UTC"));
        int count = Integer.parseInt(args[1]), times = Integer.parseInt(args[2]);
        for (int i = 0; i < count; i++) {
            String text = expression(), zone = args.length > 3 ? args[3] : ZONES[dice.nextInt(ZONES.length)];
            CronExpression cron;
            try {
                cron = new CronExpression(text);
            } catch (ParseException e) {
                System.out.println(text + "\t!");
                continue;
            }
            cron.setTimeZone(TimeZone.getTimeZone(zone));
            /* Half of them begin shortly before a change of clocks. */
            long start = (args.length > 4 ? Long.parseLong(args[4]) : 1767225600L) + (long) dice.nextInt(2 * 366 * 86400);
            if (dice.nextBoolean()) {
                java.time.ZoneId id = java.time.ZoneId.of(zone);
                java.time.zone.ZoneOffsetTransition next = id.getRules().nextTransition(java.time.Instant.ofEpochSecond(start));
                if (next != null) start = next.toEpochSecond() - from(1, 5) * 3600;
            }
            StringBuilder line = new StringBuilder(text + "\t" + zone + "\t" + start + "\t");
            Date at = new Date(start * 1000);
            for (int k = 0; k < times; k++) {
                at = cron.getNextValidTimeAfter(at);
                if (at == null) break;
                line.append(k > 0 ? " " : "").append(at.getTime() / 1000);
            }
            System.out.println(at == null && line.charAt(line.length() - 1) == '\t' ? line + "-" : line);
        }
    }
}
