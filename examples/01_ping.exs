# Start me first:  elixir --name node1@127.0.0.1 --cookie cookie examples/01_ping.exs
:net_kernel.monitor_nodes(true)
IO.puts("node1 waits")

receive do
  {:nodeup, node} -> IO.inspect(node, label: "up")      # => up: :"py@127.0.0.1"
end

receive do
  {:nodedown, node} -> IO.inspect(node, label: "down")  # => down: :"py@127.0.0.1"
end
