%% The BEAM's side of the measurements: what serves in the BEAM that is measured, as subject.py does in
%% Python, and what drives and times a node of either kind.  Times are in nanoseconds.
-module(bench).
-behaviour(gen_server).
-export([serve/0, init/1, handle_call/3, handle_cast/2]).
-export([calls/2, worker_calls/2, raws/2, callers/3, sends/2, flood/2, one_way/3, echoes/3, connect/1]).

%% Served

serve() ->
    spawn(fun() ->
        [{ok, _} = gen_server:start_link({local, Name}, bench, [], []) || Name <- [server, worker]],
        spawn_link(fun() -> register(echo, self()), echo() end),
        spawn_link(fun() -> register(sink, self()), sink(0) end),
        register(flooder, self()),
        flooder()
    end),
    ok.

init([]) -> {ok, none}.
handle_call(Request, _From, State) -> {reply, Request, State}.
handle_cast(_Request, State) -> {noreply, State}.

echo() ->
    receive {From, Message} -> From ! Message, echo() end.

sink(Count) ->
    receive
        {done, From} -> From ! {done, Count}, sink(0);
        _ -> sink(Count + 1)
    end.

flooder() ->
    receive {flood, Count, To} -> send_all(To, Count), flooder() end.

%% Driven

connect(Node) -> true = net_kernel:connect_node(Node), ok.

%% how long each call takes
calls(Node, Count) -> calls_of({server, Node}, Count).
worker_calls(Node, Count) -> calls_of({worker, Node}, Count).

calls_of(To, Count) -> [timed(fun() -> 42 = gen_server:call(To, 42) end) || _ <- lists:seq(1, Count)].

%% how long it takes until the answer to a plain message is there
raws(Node, Count) -> [timed(fun() -> raw({echo, Node}, I) end) || I <- lists:seq(1, Count)].

raw(To, Message) ->
    To ! {self(), Message},
    receive Message -> ok end.

%% so many processes, each of which calls so many times
callers(Node, Callers, Each) ->
    timed(fun() ->
        All = [spawn_monitor(fun() -> call({server, Node}, Each) end) || _ <- lists:seq(1, Callers)],
        [receive {'DOWN', Ref, process, _, normal} -> ok end || {_, Ref} <- All]
    end).

call(_To, 0) -> ok;
call(To, Count) -> Count = gen_server:call(To, Count, infinity), call(To, Count - 1).

%% until all messages have been taken there
sends(Node, Count) ->
    timed(fun() -> send_all({sink, Node}, Count), taken(Node, Count) end).

send_all(_To, 0) -> ok;
send_all(To, Count) -> To ! {msg, Count}, send_all(To, Count - 1).

taken(Node, Count) ->
    {sink, Node} ! {done, self()},
    receive {done, Count} -> ok end.

%% until all messages that the node sends are taken here
flood(Node, Count) ->
    timed(fun() -> {flooder, Node} ! {flood, Count, self()}, take_all(Count) end).

take_all(0) -> ok;
take_all(Count) -> receive {msg, Count} -> take_all(Count - 1) end.

%% binaries of so many octets: only there, and there and back, one at a time
one_way(Node, Size, Count) ->
    Binary = binary:copy(<<7>>, Size),
    timed(fun() -> binaries({sink, Node}, Binary, Count), taken(Node, Count) end).

binaries(_To, _Binary, 0) -> ok;
binaries(To, Binary, Count) -> To ! {bin, Binary}, binaries(To, Binary, Count - 1).

echoes(Node, Size, Count) ->
    Binary = binary:copy(<<7>>, Size),
    timed(fun() -> [raw({echo, Node}, Binary) || _ <- lists:seq(1, Count)] end).

timed(Work) ->
    Begin = erlang:monotonic_time(nanosecond),
    Work(),
    erlang:monotonic_time(nanosecond) - Begin.
