# Start examples/02_gen_server.py first, then:
#   elixir --name node1@127.0.0.1 --cookie cookie examples/02_gen_server.exs
python = :"py@127.0.0.1"
model = {:model, python}

IO.inspect(Node.ping(python))                             # => :pong
IO.inspect(Node.list())                                   # => [:"py@127.0.0.1"]
IO.inspect(GenServer.call(model, {:predict, [2, 3]}))     # => 7.0
IO.inspect(GenServer.cast(model, {:learn, [1000, 1]}))    # => :ok
IO.inspect(GenServer.call(model, :weights))               # => [1000, 1]
IO.inspect(GenServer.call({:slow, python}, "hello"))      # => {:ok, "hello"}

# nobody is registered under that name: known at once, no timeout
try do
  GenServer.call({:nobody, python}, :hello)
catch
  :exit, {reason, _call} -> IO.inspect(reason)            # => :noproc
end

# a request that it does not understand ends the server, and the caller learns why
try do
  GenServer.call(model, :nonsense)
catch
  :exit, {reason, _call} -> IO.inspect(reason)            # => {:bad_request, :nonsense}
end
