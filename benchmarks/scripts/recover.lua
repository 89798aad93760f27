-- GET recover of one account after the other with its pending key; argument: the first number.
function init(args) number = tonumber(args[1]) end
function request()
  number = number + 1
  return wrk.format("GET", string.format("/api/accounts/user.%07d@sip.example.org/recover/rec%010d", number, number))
end
