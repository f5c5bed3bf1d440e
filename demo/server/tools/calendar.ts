/** What the calendar says of a date. */
import {
  daysBetween,
  findDate,
  isLeapYear,
  isoDate,
  isoWeek,
  longDate,
  monthName,
  startOfDay,
  weekdayName,
} from "./dates.ts";
import { objectSchema, textArg, ToolError, type Tool } from "./tool.ts";

/** Result of the calendar tool. */
export type CalendarDay = {
  readonly date: string;
  readonly written: string;
  readonly weekday: string;
  readonly isoWeek: number;
  readonly dayOfYear: number;
  readonly daysFromToday: number;
  readonly isLeapYear: boolean;
  /** The month as text, the date in brackets. */
  readonly month: string;
};

/** The calendar, seen from a clock. */
export function createCalendar(now: () => Date): Tool<{ readonly date: string }, CalendarDay> {
  return {
    name: "calendar",
    description: "Weekday, week number and distance from today of a date.",
    parameters: objectSchema({
      date: { type: "string", description: "Such as 2026-12-24, 24 December, tomorrow" },
    }),
    readArgs: (args) => ({ date: textArg(args, "date") }),
    run({ date: text }) {
      const today = startOfDay(now());
      const date = findDate(text, today);
      if (date === null) throw new ToolError(`No date that the calendar has: ${text}`);
      return {
        date: isoDate(date),
        written: longDate(date),
        weekday: weekdayName(date),
        isoWeek: isoWeek(date),
        dayOfYear: daysBetween(new Date(Date.UTC(date.getUTCFullYear(), 0, 1)), date) + 1,
        daysFromToday: daysBetween(today, date),
        isLeapYear: isLeapYear(date.getUTCFullYear()),
        month: monthSheet(date),
      };
    },
  };
}

function monthSheet(date: Date): string {
  const year = date.getUTCFullYear();
  const month = date.getUTCMonth();
  const days = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  const lead = (new Date(Date.UTC(year, month, 1)).getUTCDay() + 6) % 7;
  const cells = [
    ...Array.from({ length: lead }, () => "    "),
    ...Array.from({ length: days }, (_, index) => {
      const day = String(index + 1).padStart(2);
      return index + 1 === date.getUTCDate() ? `[${day}]` : ` ${day} `;
    }),
  ];
  const weeks = Array.from({ length: Math.ceil(cells.length / 7) }, (_, week) =>
    cells
      .slice(week * 7, week * 7 + 7)
      .join("")
      .trimEnd(),
  );
  return [` ${monthName(date)} ${year}`, " Mo  Tu  We  Th  Fr  Sa  Su", ...weeks].join("\n");
}
