# Stands in for libcluster's DNSPoll on a node that has no hex: asks DNS, dials everybody one by one, rests.
# Bound by the test: query, basename, interval (milliseconds), all of them text.

defmodule StandIn.DnsPoll do
  def run(query, basename, interval) do
    for address <- :inet_res.lookup(String.to_charlist(query), :in, :a) do
      peer = :"#{basename}@#{:inet.ntoa(address)}"
      peer == node() or Node.connect(peer)
    end

    Process.sleep(interval)
    run(query, basename, interval)
  end
end

spawn(fn -> StandIn.DnsPoll.run(query, basename, String.to_integer(interval)) end)
