-- GET resolve of random accounts with the API key of the first one, an administrator; argument: how many there are.
function init(args) accounts = tonumber(args[1]); math.randomseed(os.time()) end
function request()
  local path = string.format("/api/resolve/user.%07d@sip.example.org", math.random(accounts))
  return wrk.format("GET", path, {["x-api-key"] = "key-0000001"})
end
