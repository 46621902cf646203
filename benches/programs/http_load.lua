-- Compares the bodies, and says in one line of JSON what came of it, times in microseconds.
local threads = {}
wrong = 0

function setup(thread)
  table.insert(threads, thread)
end

function response(status, headers, body)
  if status ~= 200 or body ~= "Hello" then
    wrong = wrong + 1
  end
end

function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.timeout
  for _, thread in ipairs(threads) do
    failed = failed + thread:get("wrong")
  end
  io.write(string.format(
    '{"operations": %d, "errors": %d, "microseconds": %d, "p50_us": %d, "p99_us": %d}\n',
    summary.requests, failed, summary.duration, latency:percentile(50), latency:percentile(99)
  ))
end
