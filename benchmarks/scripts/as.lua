-- GET the path of the URL with one account's API key; argument: its number.
function init(args) key = string.format("key-%07d", tonumber(args[1])) end
function request() return wrk.format("GET", nil, {["x-api-key"] = key}) end
