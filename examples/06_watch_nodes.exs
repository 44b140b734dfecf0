# Start examples/06_watch_nodes.py first, then:
#   elixir --name node1@127.0.0.1 --cookie cookie examples/06_watch_nodes.exs
IO.inspect(Node.connect(:"py@127.0.0.1"))                   # => true
IO.inspect(GenServer.call({:door, :"py@127.0.0.1"}, :bye))  # => :goodbye
