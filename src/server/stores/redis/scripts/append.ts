import { defineScript, type RedisScript } from "./script.ts";

/**
 * Appends entries, and renews the lease. Those that the log holds are skipped; if some are missing before the first,
 * nothing is appended.
 *
 * KEYS[1] state, KEYS[2] data of the lease's generation
 * ARGV: lease, first sequence number or "" for the next, maxChunkBytes, maxEntriesPerStream, maxStreamBytes, tell payloads 0|1, payload…
 * Reply: { ok, last } | { limit, last, name } | a loss
 */
export const append: RedisScript = defineScript(`
local lost = loss(ARGV[1])
if lost then return lost end
local data = KEYS[2]
local first = tonumber(ARGV[2]) or s.last + 1
local count = #ARGV - 6
local from = s.last + 1 - first
if from < 0 then
  keep()
  tell("r " .. s.gen .. " " .. s.last)
  return { 0, s.last }
end
local maxChunk, maxEntries, maxBytes = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local bytes = s.bytes
local limit = nil
local told = {}
local toldBytes = 0
local to = from
while to < count and not limit do
  local payload = ARGV[7 + to]
  local size = #payload
  local seq = first + to
  if size > maxChunk then limit = "maxChunkBytes"
  elseif seq > maxEntries then limit = "maxEntriesPerStream"
  elseif bytes + size > maxBytes then limit = "maxStreamBytes"
  else
    redis.call("XADD", data, seq .. "-0", "p", payload)
    bytes = bytes + size
    toldBytes = toldBytes + size + 1
    if toldBytes <= MAX_TOLD_BYTES then told[#told + 1] = payload end
    to = to + 1
  end
end
local before = s.last
s.last = first + to - 1
local last = tostring(s.last)
keep("last", last, "bytes", tostring(bytes))
if before == 0 then live(data) end
local message = "a " .. s.gen .. " " .. before + 1 .. " " .. last
if ARGV[6] == "1" and s.last > before and toldBytes <= MAX_TOLD_BYTES then
  message = message .. "\\n" .. table.concat(told, "\\n")
end
tell(message)
if limit then return { 5, s.last, limit } end
return { 0, s.last }
`);
