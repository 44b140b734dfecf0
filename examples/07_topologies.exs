# Start examples/07_topologies.py first, then:
#   elixir --name node1@127.0.0.1 --cookie cookie examples/07_topologies.exs
Enum.find(Stream.interval(100), fn _ -> Node.list() != [] end)
IO.inspect(Node.list())                               # => [:"py@127.0.0.1"]

# cut the connection, as a network failure would: it is there again within seconds
:net_kernel.monitor_nodes(true)
IO.inspect(Node.disconnect(:"py@127.0.0.1"))          # => true
receive do {:nodedown, node} -> IO.inspect(node) end  # => :"py@127.0.0.1"
receive do {:nodeup, node} -> IO.inspect(node) end    # => :"py@127.0.0.1"
