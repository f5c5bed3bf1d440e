/**
 * A Lua script, and what all scripts share: the stream's state, the clock, and what is told on the channel.
 *
 * The state is a hash with the fields
 * - `gen`  generation; `st` status; `code`, `msg` error; `last` last sequence number; `bytes` of all entries
 * - `owner` `=<owner>`, or `-` for null; `proto` `=<protocol>`, or `-` for bytes
 * - `ttl`, `lease` milliseconds (`lease` empty: never lapses); `exp`, `until` when they are over, by Redis' clock
 * - `tomb` set on a stream that was deleted: kept a while, so that followers can tell that from a loss
 *
 * What is told on the channel `KEYS[1]`, a line each, fields split by a space:
 * - `a gen first last until exp now` and, for events, a line for each payload: entries were appended
 * - `r gen last until exp now`: a sign of life
 * - `c gen`: the state changed otherwise; it is to be read
 */

/** A script, to be run by its hash. */
export interface RedisScript {
  readonly source: string;
}

/** Milliseconds that the state of an expired or deleted stream is kept beyond its time. */
const GRACE_MS = 60_000;
/** Payloads together larger than this are not told, only that they are there. */
const MAX_TOLD_BYTES = 65_536;

const PRELUDE = `
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local meta = KEYS[1]
local FIELDS = { "gen", "st", "code", "msg", "last", "bytes", "owner", "proto", "ttl", "lease", "until", "exp", "tomb" }
local s = {}
local function load()
  local values = redis.call("HMGET", meta, unpack(FIELDS))
  for i, name in ipairs(FIELDS) do s[name] = values[i] or false end
  if s.last then s.last = tonumber(s.last) end
end
load()
local function tell(message) redis.call("PUBLISH", meta, message) end
-- A number as Lua writes it may have an exponent.
local function int(n) return string.format("%.0f", n) end
local function isGone() return s.gen and (s.tomb or now >= tonumber(s.exp)) end
local function keep(data)
  s.exp = now + tonumber(s.ttl)
  s["until"] = s.lease ~= "" and s.st == "streaming" and int(now + tonumber(s.lease)) or ""
  redis.call("HSET", meta, "exp", int(s.exp), "until", s["until"])
  redis.call("PEXPIRE", meta, int(tonumber(s.ttl) + GRACE_MS))
  if data then redis.call("PEXPIRE", data, int(tonumber(s.ttl) + GRACE_MS)) end
end
local function times() return s["until"] .. " " .. int(s.exp) .. " " .. int(now) end
local function finish(status, code, msg)
  s.st, s.code, s.msg = status, code, msg
  redis.call("HSET", meta, "st", status, "code", code, "msg", msg)
  keep(false)
  tell("c " .. s.gen)
end
-- Ends the stream as producer-lost if its lease is still the one that the caller saw lapse.
local function condemn(seen)
  if seen ~= "" and s.gen and not isGone() and s.st == "streaming" and s["until"] == seen and now >= tonumber(seen) then
    finish("error", "producer-lost", ARGV[#ARGV])
  end
end
local function record()
  return { s.gen, s.st, s.code or "", s.msg or "", int(s.last), s.owner, s.proto, s["until"] or "", int(tonumber(s.exp)), int(now), s.lease or "" }
end
-- Why a lease gives no right; nil when it does.
local function loss(token)
  if not s.gen then return { 4 } end
  if s.gen ~= token then return isGone() and { 3, s.tomb and "deleted" or "expired" } or { 1 } end
  if isGone() then return { 3, s.tomb and "deleted" or "expired" } end
  if s.st ~= "streaming" then return { 2, int(s.last), s.st, s.code or "", s.msg or "" } end
  return nil
end
`;

/** Makes a script of its own part. */
export function defineScript(body: string): RedisScript {
  return {
    source: `${PRELUDE}\n${body}`
      .replaceAll("MAX_TOLD_BYTES", String(MAX_TOLD_BYTES))
      .replaceAll("GRACE_MS", String(GRACE_MS)),
  };
}
