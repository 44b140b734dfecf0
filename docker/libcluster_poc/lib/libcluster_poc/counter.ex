defmodule LibclusterPoc.Counter do
  @moduledoc """
  A GenServer for calls between nodes, in both directions.

    * `{:add, k}` gives `{:ok, value}`, `:value` the value, `:who` the node that answered
    * `{:relay, {name, node}, request}` calls another GenServer from here and gives `{:ok, answer}`, or
      `{:error, reason}` when that call exits
  """

  use GenServer

  def start_link(_options), do: GenServer.start_link(__MODULE__, 0, name: __MODULE__)

  @impl true
  def init(value), do: {:ok, value}

  @impl true
  def handle_call({:add, k}, _from, value) when is_integer(k), do: {:reply, {:ok, value + k}, value + k}
  def handle_call(:value, _from, value), do: {:reply, value, value}
  def handle_call(:who, _from, value), do: {:reply, node(), value}

  def handle_call({:relay, {name, node}, request}, from, value) when is_atom(name) and is_atom(node) do
    Task.start(fn -> GenServer.reply(from, relay({name, node}, request)) end)
    {:noreply, value}
  end

  defp relay(server, request) do
    {:ok, GenServer.call(server, request)}
  catch
    :exit, {reason, _call} -> {:error, reason}
  end
end
