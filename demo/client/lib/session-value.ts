/** Values of this tab that outlive a reload. Where storage is blocked or full they do not, and nothing else happens. */

/** Longest value, in UTF-16 units: storage is shared with the answers' checkpoints. */
const MAX_LENGTH = 600_000;

/** Reads a value; `null` where there is none. */
export function readSessionValue(key: string): string | null {
  try {
    return sessionStorage.getItem(key);
  } catch {
    return null;
  }
}

/** Writes a value; an empty or too long one is removed. */
export function writeSessionValue(key: string, value: string): void {
  try {
    if (value === "" || value.length > MAX_LENGTH) sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, value);
  } catch {
    // Blocked or full.
  }
}
