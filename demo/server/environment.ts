/** What a process is told from outside. */

/** Environment variables. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A variable that cannot be what it is, in words for whoever set it. */
export class ConfigError extends Error {
  override readonly name: string = "ConfigError";
}
