/**
 * Names of the keys. All keys of a stream have its id as their hash tag, so that a cluster keeps them on one node and one
 * script can change them together.
 */

/** Names below a prefix. */
export interface RedisKeys {
  /** State of a stream: a hash. Also the name of the channel on which its changes are told. */
  meta(streamId: string): string;
  /** Entries of one generation: a stream whose entry ids are `<seq>-0`. Scripts make the same name out of the state's. */
  data(streamId: string, generation: string): string;
  /** The newest stream of a thread key: `<generation> <stream id>`. */
  thread(thread: string): string;
}

/** Makes the names. */
export function createRedisKeys(prefix: string): RedisKeys {
  return {
    meta: (streamId) => `${prefix}:{${streamId}}:meta`,
    data: (streamId, generation) => `${prefix}:{${streamId}}:data:${generation}`,
    thread: (thread) => `${prefix}:thread:${thread}`,
  };
}
