/** What is compared: rejoin, raw Redis, and the peers, each behind the same few calls. */

/** A way to bring a stream of text from one process to another through Redis. */
export interface System {
  connect(url: string): Promise<SystemConnection>;
}

/** One process' connection. */
export interface SystemConnection {
  /** Writes a source as a stream; resolves when all of it is in Redis. */
  write(streamId: string, chunks: AsyncIterable<string>): Promise<void>;
  /** The text of a stream as it comes, from its start to its end. */
  read(streamId: string): AsyncIterable<string>;
  close(): Promise<void>;
}

/** The systems, by the module that has each. */
export const SYSTEMS = {
  rejoin: "../systems/rejoin.ts",
  "raw Redis": "../systems/raw-redis.ts",
  "assistant-stream": "../peers/assistant-stream.ts",
  "resumable-stream": "../peers/resumable-stream.ts",
} as const;

/** Name of a system. */
export type SystemName = keyof typeof SYSTEMS;

/** Loads a system. The peers are there once the packages of this folder are installed. */
export async function loadSystem(name: SystemName): Promise<System> {
  const module: { readonly system: System } = await import(new URL(SYSTEMS[name], import.meta.url).href);
  return module.system;
}
