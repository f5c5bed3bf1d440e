/** Numbers out of samples. */

/** The value below which a share of the samples lies: `percentile(samples, 0.95)`. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/** The middle one. */
export function median(samples: readonly number[]): number {
  return percentile(samples, 0.5);
}

/** A clock that all processes of a machine share, in nanoseconds. */
export function stamp(): string {
  return String(process.hrtime.bigint());
}

/** Milliseconds since a stamp of this machine. */
export function sinceMs(stamped: string): number {
  return Number(process.hrtime.bigint() - BigInt(stamped)) / 1e6;
}
