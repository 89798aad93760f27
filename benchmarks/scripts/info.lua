-- GET info of random accounts; argument: how many there are.
function init(args) accounts = tonumber(args[1]); math.randomseed(os.time()) end
function request()
  return wrk.format("GET", string.format("/api/accounts/user.%07d@sip.example.org/info", math.random(accounts)))
end
