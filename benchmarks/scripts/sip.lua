-- GET prepared paths, each once; argument: the file that has them.
function init(args) paths = io.open(args[1], "r") end
function request()
  local path = paths:read("*l")
  if not path then wrk.thread:stop(); return wrk.format("GET") end
  return wrk.format("GET", path)
end
