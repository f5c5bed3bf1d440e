/** What a Redis has done, as it says itself. */
/** A client, as far as it is asked here. */
interface Client {
  info(section?: string): Promise<unknown>;
}

/** Readings of a Redis, of which differences are taken. */
export interface RedisReading {
  readonly cpuSeconds: number;
  readonly outputBytes: number;
  readonly connections: number;
  /** Commands of clients, by name; what scripts call is not counted. */
  readonly commands: ReadonlyMap<string, number>;
}

/** Calls that our scripts make, and no client of ours makes by itself. */
const CALLED_BY_SCRIPTS = new Set(["time", "hmget", "hset", "xadd", "publish", "pexpire", "unlink", "del"]);

/** Reads the meters; costs two commands, which are not counted. */
export async function readMeters(admin: Client): Promise<RedisReading> {
  const info = `${await admin.info()}\n${await admin.info("commandstats")}`;
  const number = (name: string): number => Number(new RegExp(`^${name}:([\\d.]+)`, "m").exec(info)?.[1]);
  const commands = new Map<string, number>();
  for (const [, name = "", calls] of info.matchAll(/^cmdstat_([\w|]+):calls=(\d+)/gm)) {
    if (name !== "info" && !CALLED_BY_SCRIPTS.has(name)) commands.set(name, Number(calls));
  }
  return {
    cpuSeconds: number("used_cpu_user") + number("used_cpu_sys"),
    outputBytes: number("total_net_output_bytes"),
    connections: number("connected_clients"),
    commands,
  };
}

/** Commands of clients between two readings. */
export function commandsBetween(before: RedisReading, after: RedisReading): number {
  let total = 0;
  for (const [name, calls] of after.commands) total += calls - (before.commands.get(name) ?? 0);
  return total;
}
