import type { StreamLimits } from "../../stream-store.ts";
import { defineHotScript, type RedisScript } from "./script.ts";

/**
 * Appends entries, and renews the lease. Those that the log holds are skipped; if some are missing before the first,
 * nothing is appended, and all are where Redis has lost the data alone. A store's limits are constants of its script.
 *
 * KEYS[1] state, KEYS[2] data of the lease's generation
 * ARGV: lease, first sequence number or "" for the next, tell payloads 0|1, payload…
 * Reply: { ok, last } | { limit, last, name } | a loss
 */
export const createAppend = (limits: StreamLimits): RedisScript =>
  defineHotScript(`
-- Whoever holds it surely need not be asked.
if gen ~= ARGV[1] or st ~= "streaming" or now >= at + ttl then
  local lost = toolbox().loss(ARGV[1])
  if lost then return lost end
end
local before = last
local first = tonumber(ARGV[2]) or before + 1
local from = before + 1 - first
if from < 0 then
  local tools = toolbox()
  tools.keep()
  tools.tell("r " .. gen .. " " .. before)
  return { 0, before }
end
local count = #ARGV - 3
local limit = nil
local toldBytes = 0
local to = from
while to < count do
  local payload = ARGV[4 + to]
  local size = #payload
  local seq = first + to
  if size > ${limits.maxChunkBytes} then limit = "maxChunkBytes" break end
  if seq > ${limits.maxEntriesPerStream} then limit = "maxEntriesPerStream" break end
  if bytes + size > ${limits.maxStreamBytes} then limit = "maxStreamBytes" break end
  if to > from or before == 0 or ARGV[2] == "" then
    redis.call("XADD", KEYS[2], seq .. "-0", "p", payload)
  elseif not redis.call("XADD", KEYS[2], "NOMKSTREAM", seq .. "-0", "p", payload) then
    local tools = toolbox()
    tools.lastIs(0)
    tools.keep()
    tools.tell("r " .. gen .. " 0")
    return { 0, 0 }
  end
  bytes = bytes + size
  toldBytes = toldBytes + size + 1
  to = to + 1
end
last = first + to - 1
local lastText = tostring(last)
if before > 0 and math.floor(at / KEEP_MS) == math.floor(now / KEEP_MS) then
  redis.call("HSET", meta, "at", tostring(now), "last", lastText, "bytes", tostring(bytes))
else
  local tools = toolbox()
  tools.keep("last", lastText, "bytes", tostring(bytes))
  if before == 0 then tools.live(KEYS[2]) end
end
local told = "a " .. gen .. " " .. before .. " " .. lastText
if ARGV[3] == "1" and to > from and toldBytes <= MAX_TOLD_BYTES then
  told = told .. "\\n" .. table.concat(ARGV, "\\n", 4 + from, 3 + to)
end
redis.call("PUBLISH", meta, told)
if limit then return { 5, last, limit } end
return { 0, last }
`);
