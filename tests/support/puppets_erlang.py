"""Erlang's half of the comparison of signals: a puppet, and the director who has two of them act.

A puppet does what it is told and tells of all it gets.  The director tells puppets what to do, one command
after the other, and keeps what each of them told, in order.  Nothing is waited for by the clock: a command is
done when the puppet says so, and what the other puppet caused has arrived when a round trip between the two
nodes, after it, is done.
"""

from __future__ import annotations

PUPPET = """
-module(puppet).
-export([start/1, init/1, dead/0, echo/1, fail/1, leave/1, hang/0, shout/2, shout_and_hang/2, suicide/0,
    shout_and_leave/3, toss/1]).

start(Boss) -> spawn(puppet, init, [Boss]).
init(Boss) ->
    receive
        {do, Boss, return} -> ok;
        {do, Boss, {leave, Why}} -> exit(Why);
        {do, Boss, leave_huge} -> exit(huge());
        {do, Boss, {send_all_and_leave, To, Ms, Why}} -> [To ! M || M <- Ms], exit(Why);
        {do, Boss, {hold, N}} -> Boss ! {self(), did, ok}, hold(N), init(Boss);
        {do, Boss, What} ->
            Result = try do(What) catch C:R -> {caught, C, R} end,
            Boss ! {self(), did, Result},
            init(Boss);
        {'$gen_call', From, {answer, X}} -> gen_server:reply(From, X), init(Boss);
        {'$gen_call', _, {leave, Why}} -> exit(Why);
        Other -> Boss ! {self(), got, Other}, init(Boss)
    end.

hold(N) ->
    case process_info(self(), message_queue_len) of
        {_, Waiting} when Waiting < N -> receive after 1 -> hold(N) end;
        _ -> ok
    end.

dead() -> {Pid, Monitor} = spawn_monitor(fun() -> ok end), receive {'DOWN', Monitor, _, _, _} -> Pid end.
echo(X) -> X.
toss(X) -> throw(X).
fail(X) -> error(X).
leave(X) -> exit(X).
hang() -> receive never -> ok end.
shout(To, X) -> To ! X, done.
shout_and_hang(To, X) -> To ! {X, self()}, hang().
shout_and_leave(To, X, Why) -> To ! {X, self()}, exit(Why).
suicide() -> exit(self(), kill), hang().

do(trap) -> process_flag(trap_exit, true), ok;
do(no_trap) -> process_flag(trap_exit, false), ok;
do({link, P}) -> link(P);
do({link_priority, P}) -> erlang:apply(erlang, link, [P, [priority]]);
do({unlink, P}) -> unlink(P);
do({monitor, X}) -> monitor(process, X);
do({monitor_priority, X}) -> erlang:monitor(process, X, [priority]);
do({monitor, X, Mode}) -> erlang:monitor(process, X, [{alias, Mode}]);
do({demonitor, R}) -> demonitor(R);
do({demonitor, R, Options}) -> demonitor(R, Options);
do({exit, P, Why}) -> exit(P, Why);
do({exit_huge, P}) -> exit(P, huge());
do({send, To, M}) -> To ! M, ok;
do({send_all, To, Ms}) -> [To ! M || M <- Ms], ok;
do({send_priority, To, M}) -> erlang:send(To, M, [priority]), ok;
do({exit_priority, To, Why}) -> erlang:apply(erlang, exit, [To, Why, [priority]]);
do({exit_plain, To, Why}) -> erlang:apply(erlang, exit, [To, Why, []]);
do(token) -> seq_trace:set_token(label, 17), ok;
do({register, Name}) -> register(Name, self());
do({unregister, Name}) -> unregister(Name);
do(alias) -> erlang:alias();
do(alias_once) -> erlang:alias([reply]);
do(alias_priority) -> erlang:alias([priority]);
do(alias_once_priority) -> erlang:alias([reply, priority]);
do({unalias, R}) -> erlang:unalias(R);
do({disconnect, Node}) -> erlang:disconnect_node(Node);
do({ping, Node}) -> net_adm:ping(Node);
do(leader) -> group_leader();
do({leader, L, P}) -> group_leader(L, P);
do({call, Dest, X}) -> do({call, Dest, X, 5000});
do({call, Dest, X, T}) -> try {ok, gen_server:call(Dest, X, T)} catch exit:{Why, _} -> {exit, Why} end;
do({reply, From, X}) -> gen_server:reply(From, X), ok;
do({cast, Dest, X}) -> gen_server:cast(Dest, X);
do({spawn, Node, F, Args}) -> spawn(Node, puppet, F, Args);
do({spawn_link, Node, F, Args}) -> spawn_link(Node, puppet, F, Args);
do({spawn_monitor, Node, F, Args}) -> spawn_opt(Node, puppet, F, Args, [monitor]);
do({spawn_both, Node, F, Args}) -> spawn_opt(Node, puppet, F, Args, [link, monitor]);
do({spawn_request, Node, F, Args, Options}) -> erlang:spawn_request(Node, puppet, F, Args, Options);
do({erpc, Node, F, Args}) -> do({erpc, Node, F, Args, 5000});
do({erpc, Node, F, Args, T}) -> shown(fun() -> erpc:call(Node, puppet, F, Args, T) end);
do({erpc_cast, Node, F, Args}) -> erpc:cast(Node, puppet, F, Args);
do({erpc_multicall, Nodes, F, Args}) ->
    Outcomes = erpc:multicall(Nodes, puppet, F, Args, 5000),
    [case Outcome of {ok, X} -> {return, X}; _ -> shown(Outcome) end || Outcome <- Outcomes];
do({erpc_send, Node, F, Args}) ->
    Id = erpc:send_request(Node, puppet, F, Args),
    shown(fun() -> erpc:receive_response(Id, 5000) end);
do({rpc, Node, F, Args}) -> rpc:call(Node, puppet, F, Args, 5000);
do({rpc, Node, F, Args, T}) -> rpc:call(Node, puppet, F, Args, T);
do({rpc_cast, Node, F, Args}) -> rpc:cast(Node, puppet, F, Args);
do({rpc_block, Node, F, Args}) -> rpc:block_call(Node, puppet, F, Args, 5000);
do({rpc_multicall, Nodes, F, Args}) -> rpc:multicall(Nodes, puppet, F, Args, 5000).

huge() -> {huge, binary:copy(<<"x">>, 10000000)}.
shown(Do) when is_function(Do) -> try {return, Do()} catch C:R -> shown({C, R}) end;
shown({throw, X}) -> {throw, X};
shown({error, {exception, X, _}}) -> {error, X};
shown({exit, {exception, X}}) -> {exit, X};
shown({exit, {signal, X}}) -> {signal, X};
shown({error, {erpc, X}}) -> {erpc, X};
shown(X) -> X.
"""

DIRECTOR = """
-module(director).
-export([play/4, do/3, both/2, got/1, tell/2, told/1]).

play(NodeA, NodeB, Order, Play) ->
    [A, B] = [start(Node) || Node <- [NodeA, NodeB]],
    Play(A, B),
    ping(A, NodeB), ping(B, NodeA), ping(A, NodeB),
    Named = #{A => a, B => b, NodeA => node_a, NodeB => node_b, self() => director},
    {Shown, _} = lists:mapfoldl(fun show/2, Named, [ordered(Order, log(P)) || P <- [A, B]]),
    [end_it(P) || P <- [A, B]],
    Shown.

start(Node) ->
    Pid = erpc:call(Node, puppet, start, [self()]),
    put(Pid, []), put({ended, Pid}, false), put({taken, Pid}, 0), put({monitor, Pid}, monitor(process, Pid)),
    Pid.

end_it(P) ->
    exit(P, kill),
    case get({ended, P}) of
        false -> receive {'DOWN', _, process, P, _} -> ok end;
        true -> ok
    end.

do(P, What, Other) -> tell(P, What), Result = told(P), ping(P, Other), Result.
both({A, WhatA, NodeB}, {B, WhatB, NodeA}) ->
    tell(A, WhatA), tell(B, WhatB),
    [told(A), told(B)],
    ping(A, NodeB), ping(B, NodeA).
ping(P, Other) -> tell(P, {ping, Other}), told(P).
tell(P, What) -> P ! {do, self(), What}.
told(P) -> case next(P) of {did, X} -> X; {got, _} -> told(P); Else -> Else end.

got(P) -> Taken = put({taken, P}, get({taken, P}) + 1), got(P, Taken).
got(P, Taken) ->
    case lists:nthtail(min(Taken, length(told_of(P))), told_of(P)) of
        [X | _] -> X;
        [] -> case next(P) of none -> none; _ -> got(P, Taken) end
    end.
ordered(kept, L) -> L;
ordered(any, L) -> lists:sort(L).
told_of(P) -> [X || {Kind, _} = X <- log(P), Kind =/= did].

next(P) ->
    M = get({monitor, P}),
    case get({ended, P}) of
        true -> none;
        false ->
            receive
                {P, Kind, X} -> keep(P, {Kind, X});
                {'DOWN', M, process, P, Why} -> put({ended, P}, true), keep(P, {ended, Why})
            after 3000 -> keep(P, nothing), none
            end
    end.

keep(P, X) -> put(P, [X | get(P)]), X.
log(P) -> [X || X <- lists:reverse(get(P)), X =/= {did, pong}].

show(P, Named) when is_pid(P); is_reference(P); is_atom(P) ->
    case Named of
        #{P := Name} -> {Name, Named};
        _ when is_pid(P) -> {Node, _} = show(node(P), Named), {{pid, Node}, Named};
        _ when is_reference(P) ->
            N = 1 + length([R || R <- maps:keys(Named), is_reference(R)]),
            {{ref, N}, Named#{P => {ref, N}}};
        _ -> {P, Named}
    end;
show([H | T], Named) ->
    {H1, Named1} = show(H, Named), {T1, Named2} = show(T, Named1), {[H1 | T1], Named2};
show(T, Named) when is_tuple(T) ->
    {L, Named1} = lists:mapfoldl(fun show/2, Named, tuple_to_list(T)), {list_to_tuple(L), Named1};
show(B, Named) when is_binary(B), byte_size(B) > 1000 -> {{bytes, byte_size(B), erlang:crc32(B)}, Named};
show(X, Named) -> {X, Named}.
"""
