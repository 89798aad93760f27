-- POST reports of calls, each with an id of its own, with one administrator's API key; argument: the account's number.
function init(args)
  key, number = string.format("key-%07d", tonumber(args[1])), 0
  begun = tostring(os.time()) .. tostring(math.random(1000000))
end
function request()
  number = number + 1
  local body = string.format(
    '{"id":"%s-%010d","from":"user%d@sip.example.org","to":"other@sip.example.org","devices":{"<urn:uuid:4f2e1a9c>":null},' ..
    '"initiated_at":"2026-11-30T14:05:09Z","ended_at":null,"conference_id":null}', begun, number, number % 1000)
  return wrk.format("POST", nil, {["Content-Type"] = "application/json", ["x-api-key"] = key}, body)
end
