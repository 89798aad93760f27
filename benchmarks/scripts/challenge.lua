-- GET the path of the URL as random accounts without a sign-in; argument: how many there are.
function init(args) accounts = tonumber(args[1]); math.randomseed(os.time()) end
function request()
  local from = string.format("sip:user.%07d@sip.example.org", math.random(accounts))
  return wrk.format("GET", nil, {["From"] = from})
end
