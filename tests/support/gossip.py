"""The other side of gossip: a BEAM that sends and hears the bytes of libcluster's Gossip, by code of ours.

    gossiper = Gossiper(beam, port=4711, secret="s")        # talks and listens, as libcluster's does
    await gossiper.start()
    await gossiper.start(talks=False)                       # only hears and dials
    await gossiper.start(listens=False)                     # only sends
    await gossiper.heard()                                  # names, as Erlang prints them
    await gossiper.say(b"heartbeat::garbage")

Plain Erlang, so that it runs on every release.  It connects on each heartbeat of a node that is not
connected, and beats every fifth of a second, to spare tests the waiting.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.beam import Beam

START = """
Number = binary_to_integer(Port),
{ok, Address} = inet:parse_ipv4_address(binary_to_list(If)),
Group = {233, 252, 1, 32},
Whole = <<"heartbeat::">>,
Sealed = fun(Text) ->
    Pad = 16 - byte_size(Text) rem 16,
    Prefix = crypto:strong_rand_bytes(16),
    Padded = <<Text/binary, (binary:copy(<<Pad>>, Pad))/binary>>,
    Key = crypto:hash(sha256, Secret),
    <<Prefix/binary, (crypto:crypto_one_time(aes_256_cbc, Key, Prefix, Padded, true))/binary>>
end,
Opened = fun(<<Prefix:16/binary, Rest/binary>>) when byte_size(Rest) > 0, byte_size(Rest) rem 16 =:= 0 ->
        Key = crypto:hash(sha256, Secret),
        Padded = crypto:crypto_one_time(aes_256_cbc, Key, Prefix, Rest, false),
        Pad = binary:last(Padded),
        binary:part(Padded, 0, byte_size(Padded) - min(Pad, byte_size(Padded)));
    (_) -> <<>>
end,
Pack = fun() ->
    Text = <<Whole/binary, (term_to_binary(#{node => node()}))/binary>>,
    case Secret of <<>> -> Text; _ -> Sealed(Text) end
end,
Read = fun(Datagram) ->
    case (case Secret of <<>> -> Datagram; _ -> Opened(Datagram) end) of
        <<"heartbeat::", Term/binary>> ->
            try binary_to_term(Term) of
                #{node := Name} when is_atom(Name) -> Name;
                _ -> none
            catch _:_ -> none
            end;
        _ -> none
    end
end,
Meet = fun(Name) ->
    Known = Name =:= none orelse Name =:= node() orelse Listens =/= <<"true">>
        orelse lists:member(Name, nodes(connected)),
    Known orelse spawn(fun() -> net_kernel:connect_node(Name) end)
end,
Self = self(),
spawn(fun() ->
    register(gossip, self()),
    {ok, _} = application:ensure_all_started(case Secret of <<>> -> kernel; _ -> crypto end),
    {ok, Socket} = gen_udp:open(Number, [binary, {active, true}, {reuseaddr, true}, {multicast_if, Address},
        {broadcast, true}, {multicast_loop, true}, {add_membership, {Group, Address}}]),
    Self ! opened,
    Loop = fun Loop(Heard) ->
        receive
            beat ->
                Talks =:= <<"true">> andalso gen_udp:send(Socket, Group, Number, Pack()),
                erlang:send_after(200, self(), beat),
                Loop(Heard);
            {say, Data} -> ok = gen_udp:send(Socket, Group, Number, Data), Loop(Heard);
            {udp, Socket, _, _, Datagram} ->
                Name = Read(Datagram),
                Meet(Name),
                Loop(lists:usort([Name | Heard]));
            {heard, From} -> From ! {heard, Heard}, Loop(Heard)
        end
    end,
    self() ! beat,
    Loop([])
end),
receive opened -> ok after 10000 -> exit(no_socket) end
"""


class Gossiper:
    """What gossips on `beam`, at the network that has its address `interface`."""

    def __init__(self, beam: Beam, *, port: int, secret: str = "", interface: str = "127.0.0.1") -> None:
        self._beam = beam
        self._port = port
        self._secret = secret
        self._interface = interface

    async def start(self, *, talks: bool = True, listens: bool = True) -> None:
        """Begin; it ends with its BEAM."""
        await self._beam.eval(
            START,
            Port=str(self._port).encode(),
            Secret=self._secret.encode(),
            If=self._interface.encode(),
            Talks=str(talks).lower().encode(),
            Listens=str(listens).lower().encode(),
        )

    async def heard(self) -> str:
        """The names that it heard, in Erlang; ``none`` for what it could not read."""
        return await self._beam.eval("gossip ! {heard, self()}, receive {heard, Names} -> Names end")

    async def say(self, datagram: bytes) -> None:
        """Have it send these bytes to all."""
        await self._beam.eval("gossip ! {say, Data}", Data=datagram)
