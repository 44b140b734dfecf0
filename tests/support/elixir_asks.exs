# What an Elixir user may ask of the node `n`, one expression a line: tests/interop/test_elixir_asks.py
# compares what a Python node gives with what a BEAM gives.

# erpc
:erpc.call(n, :py, :add, [1, 2])
try do :erpc.call(n, :py, :leave, [:bye]) catch k, v -> {k, v} end
try do :erpc.call(n, :py, :slow, [1], 50) catch k, v -> {k, v} end
:erpc.multicall([n, node(), :nobody@nowhere], :py, :add, [1, 2])
:erpc.cast(n, :py, :add, [1, 2])
:erpc.multicast([n, n], :py, :add, [1, 2])
id = :erpc.send_request(n, :py, :add, [1, 2]); :erpc.receive_response(id)
id = :erpc.send_request(n, :py, :add, [1, 2]); :erpc.wait_response(id, 1000)
id = :erpc.send_request(n, :py, :slow, [0.2]); r = :erpc.wait_response(id, 0); {r, :erpc.receive_response(id, 2000)}
id = :erpc.send_request(n, :py, :add, [1, 2]); receive do m -> :erpc.check_response(m, id) end
:erpc.call(n, :py, :add, [1, 2], :infinity)
try do :erpc.call(n, :py, :add, [1 | 2]) catch k, {:exception, why, [{m, f, args, _} | _]} -> {k, why, m, f, args} end
try do :erpc.call(n, :py, :add, :x) catch k, v -> {k, v} end
:erpc.multicall([n], :py, :slow, [1], 50)
:erpc.multicall([n], :py, :leave, [:x])
t = Task.async(fn -> :erpc.call(n, :py, :slow, [0.05]) end); Task.await(t)
Enum.map(1..20, fn i -> Task.async(fn -> :erpc.call(n, :py, :add, [i, 1]) end) end) |> Task.await_many() |> Enum.sum()
c = :erpc.reqids_new(); c = :erpc.send_request(n, :py, :add, [1, 2], :a, c); c = :erpc.send_request(n, :py, :slow, [0.2], :b, c); {r1, l1, c} = :erpc.receive_response(c, 2000, true); {r2, l2, c} = :erpc.receive_response(c, 2000, true); {r1, l1, r2, l2, :erpc.reqids_size(c)}

# rpc
:rpc.call(n, :py, :add, [1, 2])
:rpc.call(n, :py, :nope, [1, 2])
:rpc.call(n, :py, :slow, [1], 50)
:rpc.block_call(n, :py, :add, [1, 2])
k = :rpc.async_call(n, :py, :add, [1, 2]); :rpc.yield(k)
k = :rpc.async_call(n, :py, :slow, [0.3]); a = :rpc.nb_yield(k); b = :rpc.nb_yield(k, 2000); {a, b}
:rpc.multicall([n, node()], :py, :add, [1, 2])
:rpc.abcast([n], :echo, :hello)
:rpc.call(n, :py, :add, [1, :a]) |> elem(0)
:rpc.call(n, :py, :leave, [:normal])
:rpc.call(n, :py, :leave, [{:shutdown, 1}])
:rpc.block_call(n, :py, :leave, [:kill])
:rpc.block_call(n, :py, :nope, [])
:rpc.block_call(n, :py, :slow, [1], 100)
:rpc.async_call(n, :py, :leave, [:x]) |> :rpc.yield()
:rpc.async_call(n, :py, :nope, [:x]) |> :rpc.yield()
:rpc.multicall([n, :no@where], :py, :slow, [0.01], 2000)

# servers
try do Task.Supervisor.start_child({Sup, n}, IO, :puts, ["x"]) catch k, v -> {k, v} end
try do Agent.get({:nobody, n}, & &1) catch k, v -> {k, v} end
GenServer.call({:echo, n}, :hi)
try do GenServer.call({:echo, n}, :slow, 50) catch k, v -> {k, v} end
GenServer.call({:echo, n}, :slow, 1000)
try do GenServer.call({:nobody, n}, :x) catch k, v -> {k, v} end
try do GenServer.call({:echo, :nobody@nowhere}, :x) catch k, v -> {k, v} end
GenServer.multi_call([n, node()], :echo, :hello)
GenServer.multi_call([n, node(), :no@where], :echo, :hello, 1000)
GenServer.abcast([n, node()], :echo, :hello)
:gen_server.send_request({:echo, n}, :x) |> :gen_server.receive_response(1000)
:gen_server.send_request({:echo, n}, :x) |> :gen_server.wait_response(1000)
c = :gen_server.reqids_new(); c = :gen_server.send_request({:echo, n}, :x, :l1, c); c = :gen_server.send_request({:echo, n}, :y, :l2, c); {r1, l1, c} = :gen_server.receive_response(c, 1000, true); {r2, l2, _} = :gen_server.receive_response(c, 1000, true); [{r1, l1}, {r2, l2}]
p = Node.spawn(n, :py, :body, [self()]); receive do {:up, _} -> 1 end; try do GenServer.call(p, :x, 100) catch k, v -> {k, elem(v, 0)} end

# processes and signals
pid = Node.spawn(n, :py, :body, [self()]); p2 = receive do {:up, p} -> p end; {pid == p2, (try do Process.alive?(pid) rescue e -> e end)}
pid = Node.spawn(n, :py, :body, [self()]); try do Process.info(pid) rescue e -> e end
pid = Node.spawn(n, :py, :body, [self()]); try do :erlang.process_display(pid, :backtrace) rescue e -> e end
{pid, ref} = Node.spawn_monitor(n, :py, :body, [self()]); receive do {:up, ^pid} -> :ok end; Process.exit(pid, :kill); receive do m -> put_elem(m, 1, ref == elem(m, 1)) after 1000 -> :none end
Process.flag(:trap_exit, true); pid = Node.spawn_link(n, :py, :body, [self()]); receive do {:up, _} -> :ok end; Process.unlink(pid); Process.exit(pid, :normal); send(pid, :hi); receive do m -> m after 1000 -> :none end
Process.monitor({:echo, n}) |> Process.demonitor([:flush, :info])
ref = Process.monitor({:nobody, n}); receive do {:DOWN, ^ref, t, w, r} -> {t, w, r} after 1000 -> :none end
Node.ping(n)
Process.flag(:trap_exit, true); pid = Node.spawn_link(n, :py, :body, [self()]); receive do {:up, _} -> :ok end; Process.exit(pid, :shutdown); receive do m -> m after 1000 -> :none end
Process.flag(:trap_exit, true); pid = Node.spawn_link(n, :py, :body, [self()]); receive do {:up, _} -> :ok end; Process.exit(pid, :kill); receive do m -> m after 1000 -> :none end
pid = Node.spawn(n, :py, :body, [self()]); receive do {:up, _} -> :ok end; Process.link(pid); Process.link(pid); Process.unlink(pid); Process.exit(pid, :kill); receive do m -> m after 300 -> :none end
pid = Node.spawn(n, :py, :body, [self()]); receive do {:up, _} -> :ok end; r = Process.monitor(pid); Process.exit(pid, :bye); receive do {:DOWN, ^r, _, _, w} -> w after 1000 -> :none end
a = :erlang.alias([:reply]); pid = Node.spawn(n, :py, :body, [a]); r1 = receive do m -> elem(m, 0) after 1000 -> :none end; send(pid, :x); r2 = receive do m -> m after 300 -> :none end; {r1, r2}
pid = Node.spawn(n, :py, :body, [self()]); receive do {:up, _} -> :ok end; Process.group_leader(pid, self()); Process.exit(pid, :kill)
:erlang.spawn_request(n, :py, :body, [self()], [:monitor, {:reply, :yes}, {:reply_tag, :tag}]); receive do {:tag, _, :ok, p} -> is_pid(p); m -> m after 1000 -> :none end
:erlang.spawn_request(n, :py, :body, [self()], [{:reply, :no}]); receive do m -> elem(m, 0) after 1000 -> :none end
try do :erlang.spawn_request(n, :py, :body, [self()], [:foo]) rescue e -> e end
Process.flag(:trap_exit, true); r = :erlang.spawn_request(n, :py, :body, [self()], [:link, :monitor]); p = receive do {:spawn_reply, ^r, :ok, p} -> p end; receive do {:up, ^p} -> :ok end; Process.exit(p, :kill); [receive do {:EXIT, ^p, w} -> w after 1000 -> :none end, receive do {:DOWN, ^r, :process, _, w} -> w after 1000 -> :none end]
try do :erlang.spawn_opt(n, :py, :body, [self()], [:link, {:priority, :high}, {:min_heap_size, 100}]) |> is_pid() rescue e -> e end
for m <- [:a, {:b, 1}], do: send({:echo, n}, m)
:erlang.send({:echo, n}, :x, [:noconnect])
:erlang.send({:nobody, n}, :x, [:nosuspend])
Process.send_after({:echo, n}, :x, 1) |> is_reference()
Process.monitor({:echo, n}, []) |> is_reference()
:erlang.monitor(:process, {:echo, n}, [{:alias, :reply_demonitor}]) |> is_reference()
Process.flag(:trap_exit, true); {:ok, a} = Agent.start_link(fn -> Node.spawn_link(n, :py, :body, [self()]) end); p = Agent.get(a, & &1); r = Process.monitor(p); Process.exit(a, :kill); receive do {:DOWN, ^r, _, _, w} -> w after 1000 -> :none end
try do Process.register(Node.spawn(n, :py, :body, [self()]), :foo) rescue e -> e.__struct__ end
try do :erlang.garbage_collect(Node.spawn(n, :py, :body, [self()])) rescue e -> e.__struct__ end
try do :erlang.suspend_process(Node.spawn(n, :py, :body, [self()])) rescue e -> e.__struct__ end
:net_adm.ping(n)
:net_kernel.connect_node(n)
Node.spawn(n, :py, :body, [self()]) |> node()

# the last, since the server is gone then
try do GenServer.call({:echo, n}, :exit) catch k, v -> {k, v} end
