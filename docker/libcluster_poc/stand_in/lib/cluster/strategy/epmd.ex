defmodule Cluster.Strategy.Epmd do
  @moduledoc """
  In place of libcluster's module of this name: connects to the nodes of a list while it starts, and again
  whenever `timeout` milliseconds have passed, if that is given.  It never disconnects, and without `hosts` there
  is no process.  The lines that it logs are the ones that libcluster logs.
  """

  use GenServer
  require Logger

  def start_link({topology, config}) do
    case Keyword.get(config, :hosts, []) do
      [] -> :ignore
      hosts -> GenServer.start_link(__MODULE__, {topology, hosts, Keyword.get(config, :timeout, :infinity)})
    end
  end

  @impl true
  def init({_topology, _hosts, timeout} = state) do
    dial(state)
    {:ok, state, timeout}
  end

  @impl true
  def handle_info(:timeout, {_topology, _hosts, timeout} = state) do
    dial(state)
    {:noreply, state, timeout}
  end

  def handle_info(_other, {_topology, _hosts, timeout} = state), do: {:noreply, state, timeout}

  defp dial({topology, hosts, _timeout}) do
    for host <- hosts -- [node() | Node.list(:connected)] do
      report(Node.connect(host), "[libcluster:#{topology}] ", inspect(host))
    end
  end

  defp report(true, mark, host), do: Logger.info(mark <> "connected to " <> host)
  defp report(false, mark, host), do: Logger.warning(mark <> "unable to connect to " <> host)

  defp report(:ignored, mark, host),
    do: Logger.warning(mark <> "unable to connect to " <> host <> ": not part of network")
end
