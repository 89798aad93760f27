-- GET the path of the URL with the API keys of random accounts; argument: how many there are.
function init(args) accounts = tonumber(args[1]); math.randomseed(os.time()) end
function request()
  return wrk.format("GET", nil, {["x-api-key"] = string.format("key-%07d", math.random(accounts))})
end
