-- POST sign-ups, each with a token of its own; argument: the first number.
function init(args) number = tonumber(args[1]) end
function request()
  local body = string.format(
    '{"username":"new.%010d","password":"correct-horse-battery","algorithm":"SHA-256","account_creation_token":"tok%010d"}',
    number, number)
  number = number + 1
  return wrk.format("POST", nil, {["Content-Type"] = "application/json"}, body)
end
