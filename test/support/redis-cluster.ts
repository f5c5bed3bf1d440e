/** A real Redis Cluster of a test's own, on free ports: three masters, each with a replica that can take its place. */
import { createClient } from "redis";
import { onFreePort, startRedis, type RedisServer } from "./redis-server.ts";

const MASTERS = 3;
const SLOTS = 16_384;
const LOOK_EVERY_MS = 20;

/** One server of a cluster. */
export interface ClusterNode {
  readonly port: number;
  /** Runs a command on this very server. */
  command(...args: string[]): Promise<unknown>;
  /** Ends it, as a crash does. */
  crash(): void;
}

export interface RedisCluster {
  readonly nodes: readonly ClusterNode[];
  readonly ports: readonly number[];
  /** The server that holds a key now, and its replica where it has one. */
  holdersOf(key: string): Promise<{ readonly master: ClusterNode; readonly replica?: ClusterNode }>;
  /** Starts the servers that crashed, and waits until each master has its replica. */
  heal(): Promise<void>;
  stop(): Promise<void>;
}

interface StartedNode extends ClusterNode {
  readonly server: RedisServer;
  readonly busPort: number;
  crashed: boolean;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
}

const startNode = (nodeTimeoutMs: number): Promise<StartedNode> =>
  onFreePort((busPort) => startNodeOn(busPort, nodeTimeoutMs));

async function startNodeOn(busPort: number, nodeTimeoutMs: number): Promise<StartedNode> {
  const server = await startRedis({
    "cluster-enabled": "yes",
    "cluster-config-file": "nodes.conf",
    // The default is the port plus 10,000, which need not be free, nor a port.
    "cluster-port": String(busPort),
    "cluster-node-timeout": String(nodeTimeoutMs),
    // The loss of a master concerns nobody else's keys.
    "cluster-require-full-coverage": "no",
    // A replica is a replacement at any age of its data, and has them without the usual wait for other replicas.
    "cluster-replica-validity-factor": "0",
    "repl-diskless-sync-delay": "0",
    // A replica that has heard nothing of its master yet is not told to clients.
    "repl-ping-replica-period": "1",
  });
  const node: StartedNode = {
    server,
    busPort,
    crashed: false,
    port: server.port,
    async command(...args) {
      const client = createClient({ url: server.url, socket: { reconnectStrategy: false } });
      client.on("error", () => {});
      await client.connect();
      try {
        return await client.sendCommand(args);
      } finally {
        client.destroy();
      }
    },
    crash() {
      node.crashed = true;
      server.kill("SIGKILL");
    },
  };
  return node;
}

/** `CLUSTER SLOTS`, as ports: `[first slot, last slot, master, …replicas]`, by first slot. */
async function shardsOf(node: ClusterNode): Promise<number[][]> {
  const reply = await node.command("CLUSTER", "SLOTS");
  if (!Array.isArray(reply)) throw new Error("CLUSTER SLOTS gave no array.");
  return reply
    .map(([first, last, ...holders]: [number, number, ...[string, number][]]) => [
      first,
      last,
      ...holders.map(([, port]) => port),
    ])
    .toSorted(([a = 0], [b = 0]) => a - b);
}

/** Whether a node sees all slots served, each master with a replica that has its data. */
async function isWhole(node: ClusterNode): Promise<boolean> {
  const [info, replication, shards] = await Promise.all([
    node.command("CLUSTER", "INFO"),
    node.command("INFO", "replication"),
    shardsOf(node),
  ]);
  const linked = /role:master/.test(String(replication))
    ? /state=online/.test(String(replication))
    : /master_link_status:up/.test(String(replication));
  return (
    linked &&
    String(info).includes("cluster_state:ok") &&
    shards.length === MASTERS &&
    shards.every((shard) => shard.length === 4)
  );
}

/** Starts a cluster; resolves when it is whole. A master that is silent for longer than the timeout is replaced. */
export async function startRedisCluster(nodeTimeoutMs = 5_000): Promise<RedisCluster> {
  const nodes = await Promise.all(Array.from({ length: MASTERS * 2 }, () => startNode(nodeTimeoutMs)));
  const wholeEverywhere = (): Promise<void[]> =>
    Promise.all(nodes.map((node) => until(() => isWhole(node).catch(() => false))));

  const [first, ...others] = nodes;
  if (first === undefined) throw new Error("A cluster has nodes.");
  await Promise.all(nodes.map((node, index) => node.command("CLUSTER", "SET-CONFIG-EPOCH", `${index + 1}`)));
  for (const { port, busPort } of others) {
    await first.command("CLUSTER", "MEET", "127.0.0.1", String(port), String(busPort));
  }
  await Promise.all(
    nodes.map((node) =>
      until(async () =>
        String(await node.command("CLUSTER", "INFO")).includes(`cluster_known_nodes:${nodes.length}`),
      ),
    ),
  );
  const share = Math.ceil(SLOTS / MASTERS);
  for (const [index, master] of nodes.slice(0, MASTERS).entries()) {
    const last = Math.min((index + 1) * share, SLOTS) - 1;
    await master.command("CLUSTER", "ADDSLOTSRANGE", String(index * share), String(last));
    await nodes[MASTERS + index]?.command(
      "CLUSTER",
      "REPLICATE",
      String(await master.command("CLUSTER", "MYID")),
    );
  }
  await wholeEverywhere();

  const byPort = (port: number | undefined): ClusterNode | undefined =>
    nodes.find((node) => node.port === port);

  return {
    nodes,
    ports: nodes.map((node) => node.port),
    async holdersOf(key) {
      const asked = nodes.find((node) => !node.crashed) ?? first;
      const slot = Number(await asked.command("CLUSTER", "KEYSLOT", key));
      const shards = await shardsOf(asked);
      const shard = shards.find(([from = 0, to = 0]) => from <= slot && slot <= to);
      const [master, replica] = [byPort(shard?.[2]), byPort(shard?.[3])];
      if (master === undefined) throw new Error(`Nobody holds ${key}.`);
      return replica === undefined ? { master } : { master, replica };
    },
    async heal() {
      for (const node of nodes.filter(({ crashed }) => crashed)) {
        await node.server.restart();
        node.crashed = false;
      }
      await wholeEverywhere();
    },
    async stop() {
      await Promise.all(nodes.map((node) => node.server.stop()));
    },
  };
}
