/** Dates as people write them. Days of the proleptic Gregorian calendar, in UTC throughout. */

const MONTHS = [
  "january",
  "february",
  "march",
  "april",
  "may",
  "june",
  "july",
  "august",
  "september",
  "october",
  "november",
  "december",
];
const WEEKDAYS = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const MONTH = "(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\\.?";
const DAY = "(\\d{1,2})(?:st|nd|rd|th)?";
const ISO = /\b(\d{4})-(\d{2})-(\d{2})\b/;
const DAY_MONTH = new RegExp(`\\b${DAY}(?: of)? ${MONTH}(?:,? (\\d{4}))?\\b`, "i");
const MONTH_DAY = new RegExp(`\\b${MONTH} ${DAY}(?:,? (\\d{4}))?\\b`, "i");
const NAMED: readonly (readonly [RegExp, month: number, day: number])[] = [
  [/\bchristmas\b/i, 12, 25],
  [/\bnew year'?s eve\b/i, 12, 31],
  [/\bnew year\b/i, 1, 1],
  [/\bhalloween\b/i, 10, 31],
  [/\bvalentine/i, 2, 14],
];

export const DAY_MS = 86_400_000;

/** The date that a text names, seen from `today`; `null` where it names none. A date without a year is the next one. */
export function findDate(text: string, today: Date): Date | null {
  const iso = ISO.exec(text);
  if (iso !== null) return dateOf(Number(iso[1]), Number(iso[2]), Number(iso[3]));
  const dayMonth = DAY_MONTH.exec(text);
  if (dayMonth !== null) return inYear(dayMonth[3], monthOf(dayMonth[2]), Number(dayMonth[1]), today);
  const monthDay = MONTH_DAY.exec(text);
  if (monthDay !== null) return inYear(monthDay[3], monthOf(monthDay[1]), Number(monthDay[2]), today);
  for (const [pattern, month, day] of NAMED) {
    if (pattern.test(text)) return inYear(/\b\d{4}\b/.exec(text)?.[0], month, day, today);
  }
  if (/\btomorrow\b/i.test(text)) return addDays(today, 1);
  if (/\byesterday\b/i.test(text)) return addDays(today, -1);
  return /\btoday\b/i.test(text) ? startOfDay(today) : null;
}

/** The day itself, at midnight. */
export function startOfDay(date: Date): Date {
  return new Date(Math.floor(date.getTime() / DAY_MS) * DAY_MS);
}

export function addDays(date: Date, days: number): Date {
  return new Date(startOfDay(date).getTime() + days * DAY_MS);
}

/** Whole days from one to another; negative when it lies before. */
export function daysBetween(from: Date, to: Date): number {
  return (startOfDay(to).getTime() - startOfDay(from).getTime()) / DAY_MS;
}

export function isoDate(date: Date): string {
  return date.toISOString().slice(0, 10);
}

export function weekdayName(date: Date): string {
  return capitalised(WEEKDAYS[date.getUTCDay()] ?? "");
}

export function monthName(date: Date): string {
  return capitalised(MONTHS[date.getUTCMonth()] ?? "");
}

/** Such as `24 December 2026`. */
export function longDate(date: Date): string {
  return `${date.getUTCDate()} ${monthName(date)} ${date.getUTCFullYear()}`;
}

/** The week of ISO 8601: the one that has the year's first Thursday is week 1. */
export function isoWeek(date: Date): number {
  const thursday = addDays(date, 3 - ((date.getUTCDay() + 6) % 7));
  const yearStart = new Date(Date.UTC(thursday.getUTCFullYear(), 0, 1));
  return Math.floor(daysBetween(yearStart, thursday) / 7) + 1;
}

export function isLeapYear(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
}

/** The date, or `null` where the calendar has no such day. */
function dateOf(year: number, month: number, day: number): Date | null {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? date : null;
}

function inYear(year: string | undefined, month: number, day: number, today: Date): Date | null {
  if (year !== undefined) return dateOf(Number(year), month, day);
  // The next one, which for 29 February may be years away.
  for (let ahead = 0; ahead <= 8; ahead++) {
    const date = dateOf(today.getUTCFullYear() + ahead, month, day);
    if (date !== null && daysBetween(today, date) >= 0) return date;
  }
  return null;
}

function monthOf(name: string | undefined): number {
  return MONTHS.findIndex((month) => month.startsWith((name ?? "").slice(0, 3).toLowerCase())) + 1;
}

function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
