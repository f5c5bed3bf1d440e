/** The first element of every script's reply. */
export const RESULT = {
  ok: 0,
  /** A newer generation owns the id. */
  superseded: 1,
  ended: 2,
  /** Deleted or expired; which of them follows. */
  gone: 3,
  /** There is no key at all. */
  absent: 4,
  /** What fitted was appended; the limit's name follows. */
  limit: 5,
  producer: 6,
  consumer: 7,
} as const;
