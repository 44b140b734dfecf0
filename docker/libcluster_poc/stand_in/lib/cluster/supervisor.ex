defmodule Cluster.Supervisor do
  @moduledoc """
  In place of libcluster's module of this name where hex cannot be reached: one child for each topology.

  Written for pyerlnode's containers and tests; it knows what these need and nothing more.
  """

  use Supervisor

  def start_link([topologies, options]) do
    Supervisor.start_link(__MODULE__, topologies, options)
  end

  @impl true
  def init(topologies) do
    children =
      for {topology, spec} <- topologies do
        strategy = Keyword.fetch!(spec, :strategy)
        Supervisor.child_spec({strategy, {topology, Keyword.get(spec, :config, [])}}, id: topology)
      end

    Supervisor.init(children, strategy: :one_for_one)
  end
end
