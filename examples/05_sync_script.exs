# Start me first:  elixir --name node1@127.0.0.1 --cookie cookie examples/05_sync_script.exs
defmodule Counter do
  use GenServer

  def init(n), do: {:ok, n}

  def handle_call({:add, k}, _from, n), do: {:reply, {:ok, n + k}, n + k}
  def handle_call(:info, _from, n), do: {:reply, %{name: "counter", value: n, tags: [:a, nil]}, n}
  def handle_call(:never, _from, n), do: {:noreply, n}
  def handle_call(:crash, _from, n), do: {:stop, {:shutdown, :asked}, n}

  def handle_cast(:reset, _n), do: {:noreply, 0}
end

{:ok, _} = GenServer.start(Counter, 40, name: :counter)
IO.puts("node1 serves counter")
Process.sleep(:infinity)
