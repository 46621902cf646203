-- Compares the bodies, and says in one line of JSON what came of it.
local threads = {}
wrong = 0

function setup(thread)
  table.insert(threads, thread)
end

function response(status, headers, body)
  if body ~= "Hello" then
    wrong = wrong + 1
  end
end

function done(summary)
  local others = 0
  for _, thread in ipairs(threads) do
    others = others + thread:get("wrong")
  end
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "wrong": %d, "connect": %d, "read": %d, "write": %d, "status": %d, "timeout": %d}\n',
    summary.requests, others, errors.connect, errors.read, errors.write, errors.status, errors.timeout
  ))
end
