# Stands in for libcluster's Gossip on a node that has no hex: the same packets on the same group and port,
# without a secret; a beat at once and then at random, and every beat of another node is dialled.
# Bound by the test: interval (milliseconds at most between two beats), as text.

defmodule StandIn.Gossip do
  @group {233, 252, 1, 32}
  @port 45892

  def start(interval) do
    {:ok, socket} =
      :gen_udp.open(@port, [
        :binary,
        active: true,
        reuseaddr: true,
        multicast_ttl: 1,
        multicast_loop: true,
        add_membership: {@group, {0, 0, 0, 0}}
      ])

    send(self(), :beat)
    loop(socket, interval)
  end

  defp loop(socket, interval) do
    receive do
      :beat ->
        :gen_udp.send(socket, @group, @port, ["heartbeat::", :erlang.term_to_binary(%{node: node()})])
        Process.send_after(self(), :beat, :rand.uniform(interval))

      {:udp, _, _, _, "heartbeat::" <> term} ->
        %{node: peer} = :erlang.binary_to_term(term)
        peer == node() or Node.connect(peer)
    end

    loop(socket, interval)
  end
end

spawn(fn -> StandIn.Gossip.start(String.to_integer(interval)) end)
