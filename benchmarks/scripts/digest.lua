-- GET the path of the URL with prepared DIGEST answers, each once; argument: the file that has them.
function init(args) answers = io.open(args[1], "r") end
function request()
  local line = answers:read("*l")
  if not line then wrk.thread:stop(); return wrk.format("GET") end
  local name, header = line:match("([^\t]+)\t(.+)")
  return wrk.format("GET", nil, {["From"] = "sip:" .. name .. "@sip.example.org", ["Authorization"] = header})
end
