defmodule LibclusterPoc do
  @moduledoc """
  The post's application.  What the post edits in the code between its steps is environment here, so that one
  image serves all of them:

    * `HOSTS`: the nodes to connect to, as `node1@node1,node2@node2`
    * `ALIAS`: instead of `HOSTS`, the network alias whose holders are the nodes (the post's is `web`), and
      `SUFFIX`: what to cut off their host names (`.net_poc` unless given)
    * `TIMEOUT`: milliseconds after which it tries again; without it, it tries once, as the post does

  With neither `HOSTS` nor `ALIAS` it connects to nobody.
  """

  use Application

  def start(_type, _args) do
    children = [LibclusterPoc.Counter | cluster(get_cluster_hosts())]

    Supervisor.start_link(children, strategy: :one_for_one, name: LibclusterPoc)
  end

  defp cluster([]), do: []

  defp cluster(hosts) do
    topologies = [
      example: [
        strategy: Cluster.Strategy.Epmd,
        config: [hosts: hosts] ++ timeout(env("TIMEOUT"))
      ]
    ]

    [{Cluster.Supervisor, [topologies, [name: :cluster_supervisor]]}]
  end

  defp timeout(nil), do: []
  defp timeout(milliseconds), do: [timeout: String.to_integer(milliseconds)]

  def get_cluster_hosts() do
    case {env("HOSTS"), env("ALIAS")} do
      {nil, nil} -> []
      {nil, name} -> get_cluster_hosts(name)
      {hosts, _} -> hosts |> String.split([",", " "], trim: true) |> Enum.map(&String.to_atom/1)
    end
  end

  # Every container that has the alias, under its own name.  One that was started without a name may come back
  # as the alias itself: that is no host name of a node.
  defp get_cluster_hosts(name) do
    case :inet.gethostbyname(String.to_charlist(name)) do
      {:ok, {:hostent, _name, _aliases, :inet, 4, hosts_ip}} ->
        hosts_ip
        |> Enum.map(&get_hostname/1)
        |> Enum.reject(&(&1 in [nil, name]))
        |> Enum.map(&String.to_atom("node@" <> &1))

      error ->
        raise "Unexpected #{inspect(error)}"
    end
  end

  # a container may end between the two look-ups
  defp get_hostname(ip) do
    case :inet.gethostbyaddr(ip) do
      {:ok, {:hostent, hostname, _aliases, :inet, 4, _ips}} -> normalize_hostname(hostname)
      {:error, _reason} -> nil
    end
  end

  def normalize_hostname(hostname) do
    hostname
    |> to_string()
    |> String.split(env("SUFFIX") || ".net_poc")
    |> List.first()
  end

  # compose files give an empty text for what is not set
  defp env(name) do
    case System.get_env(name, "") do
      "" -> nil
      value -> value
    end
  end
end
