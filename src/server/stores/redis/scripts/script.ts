/**
 * A Lua script, and what all scripts share: the stream's state, the clock, and what is told on the channel.
 *
 * The state is a hash with the fields
 * - `gen`  generation; `st` status, also `deleted` for a while, so that followers can tell that from a loss
 * - `last` last sequence number; `bytes` of all entries
 * - `ttl`, `lease` milliseconds (`lease` empty: never lapses), both counted from `at`, the last sign of life
 * - `node` of a cluster that vouches for the lease; not there where there is no cluster
 * - `code`, `msg` error; `owner` `=<owner>`, or `-` for null; `proto` `=<protocol>`, or `-` for bytes
 *
 * What is told on the channel `KEYS[1]`, a line each, fields split by a space:
 * - `a gen before last` and, for events, a line for each payload: the entries after `before` were appended
 * - `r gen last`: a sign of life
 * - `c gen`: the state changed otherwise; it is to be read
 */

/** A script, to be run by its hash. */
export interface RedisScript {
  readonly source: string;
  /** The same, for a cluster. */
  readonly onCluster?: RedisScript;
}

/** Milliseconds that the state of an expired or deleted stream is kept beyond its time. */
const GRACE_MS = 60_000;
/** How finely the lives of keys follow their stream's: much less than the grace. */
const KEEP_MS = 10_000;
/** Payloads together larger than this are not told, only that they are there. */
const MAX_TOLD_BYTES = 65_536;

/** Reads the clock, and the state as far as appends need it; the rest is read where it is asked for. */
const STATE = `
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local meta = KEYS[1]
local v = redis.call("HMGET", meta, "gen", "st", "last", "bytes", "ttl", "lease", "at")
local gen, st, last, bytes = v[1], v[2], tonumber(v[3]), tonumber(v[4])
local ttl, lease, at = tonumber(v[5]), tonumber(v[6]), tonumber(v[7])
`;

const TOOLS = `
local function rest()
  local r = redis.call("HMGET", meta, "code", "msg", "owner", "proto")
  return { code = r[1] or "", msg = r[2] or "", owner = r[3], proto = r[4] }
end
local function tell(message) redis.call("PUBLISH", meta, message) end
-- Why a stream is no more; nil where it is.
local function gone()
  if st == "deleted" then return "deleted" end
  if gen and now >= at + ttl then return "expired" end
end
local function isLost() return st == "error" and rest().code == "producer-lost" end
-- Whether a claim opened the stream, and nothing was written since, and nobody stopped it: perhaps no one knows of it.
local function isUnbegun(claim)
  return last == 0 and string.sub(gen, 11) == claim and (st == "streaming" or isLost())
end
-- When the lease lapses, as text; empty when it never does.
local function lapse()
  return lease and st == "streaming" and tostring(at + lease) or ""
end
-- Data of the stream's generation: a key beside the state's.
local function dataKey() return string.sub(meta, 1, -5) .. "data:" .. gen end
local function live(key) return redis.call("PEXPIRE", key, ttl + GRACE_MS) == 1 end
-- Where data are lost alone, by an eviction perhaps: their producer writes them again.
local function lastIs(seq)
  last, bytes = seq, 0
  redis.call("HSET", meta, "last", tostring(seq), "bytes", "0")
end
-- A sign of life, written with more fields. The keys' own lives are longer than the stream's, so they need not follow at
-- once: they do when the time passes into another KEEP_MS.
local function keep(...)
  local before = at
  at = now
  redis.call("HSET", meta, "at", tostring(now), ...)
  if before and math.floor(before / KEEP_MS) == math.floor(now / KEEP_MS) then return end
  live(meta)
  if not live(dataKey()) and last > 0 and st == "streaming" then lastIs(0) end
end
local function finish(status, code, msg)
  st = status
  keep("st", status, "code", code, "msg", msg)
  tell("c " .. gen)
end
-- Notes that this node, of a cluster, vouches for the lease; false if it did already. Appends do without: a lapse costs
-- them a grace.
local function vouch()
  local node = IS_ON_CLUSTER and redis.pcall("CLUSTER", "MYID")
  if type(node) ~= "string" or redis.call("HGET", meta, "node") == node then return false end
  redis.call("HSET", meta, "node", node)
  return true
end
local function record()
  local r = rest()
  return { gen, st, r.code, r.msg, last, r.owner, r.proto, lapse(), tostring(at + ttl), tostring(now),
    tostring(lease or ""), tostring(ttl) }
end
-- Why a lease gives no right; nil when it does.
local function loss(token)
  -- An older generation: Redis came back from before the lease was given, as a replica does that was behind.
  if not gen or token > gen then return { 4 } end
  if gone() then return { 3, gone() } end
  if token < gen then return { 1 } end
  if st ~= "streaming" then
    local r = rest()
    return { 2, last, st, r.code, r.msg }
  end
end
`;

/** Makes a script of its own part. */
export function defineScript(body: string): RedisScript {
  return scriptOf(`${STATE}\n${TOOLS}\n${body}`);
}

/**
 * Makes a script that has the tools only where it asks `toolbox()` for them: Redis makes each function anew each time, and
 * that costs a script that runs for each event as much as all that it does.
 */
export function defineHotScript(body: string): RedisScript {
  const toolbox = `local function toolbox()\n${TOOLS}\nreturn { loss = loss, keep = keep, tell = tell, live = live, lastIs = lastIs }\nend`;
  return scriptOf(`${STATE}\n${toolbox}\n${body}`);
}

function scriptOf(text: string): RedisScript {
  const sourceFor = (isOnCluster: boolean): string =>
    text
      .replaceAll("MAX_TOLD_BYTES", String(MAX_TOLD_BYTES))
      .replaceAll("KEEP_MS", String(KEEP_MS))
      .replaceAll("GRACE_MS", String(GRACE_MS))
      .replaceAll("IS_ON_CLUSTER", String(isOnCluster));
  return { source: sourceFor(false), onCluster: { source: sourceFor(true) } };
}
