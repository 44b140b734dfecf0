"""Spawning, and calls of servers and of functions: a part of the table of tests/support/situations.py."""

from __future__ import annotations

SPAWNS = {
    "spawn": "A({spawn, NB, shout, [PA, x]}), GotA()",
    "spawn what is not there": "A({spawn, NB, what, [x]})",
    "spawn at a node that is not there": "A({spawn, NX, shout, [PA, x]})",
    "spawn_link, then it returns": "A(trap), A({spawn_link, NB, echo, [x]}), GotA()",
    "spawn_link, then it exits": "A(trap), A({spawn_link, NB, leave, [{bye, 1}]}), GotA()",
    "spawn_link, then it exits, not trapped": "A({spawn_link, NB, shout_and_hang, [PB, x]}),"
    " {got, {x, P}} = GotB(), exit(P, bye), GotA()",
    "spawn_link, then it is killed": "A(trap), A({spawn_link, NB, suicide, []}), GotA()",
    "spawn_link what is not there": "A(trap), A({spawn_link, NB, what, [x]}), GotA()",
    "spawn_link at a node that is not there": "A(trap),"
    " case A({spawn_link, NX, echo, [x]}) of {nodedown, _} -> ok; _ -> GotA() end",
    "spawn_link, messages before its end": "A(trap), A({spawn_link, NB, shout_and_leave, [PA, x, bye]}),"
    " GotA(), GotA()",
    "spawn_link, then unlink": "P = A({spawn_link, NB, shout_and_hang, [PA, x]}), GotA(), A({unlink, P}),"
    " A({exit, P, bye})",
    "spawn_link, then we end": "A({spawn_link, NB, shout_and_hang, [PB, x]}), {got, {x, P}} = GotB(),"
    " B({monitor, P}), A({leave, bye}), GotB()",
    "spawn_monitor, then it returns": "A({spawn_monitor, NB, echo, [x]}), GotA()",
    "spawn_monitor, then it exits": "A({spawn_monitor, NB, leave, [{bye, 1}]}), GotA()",
    "spawn_monitor what is not there": "A({spawn_monitor, NB, what, [x]}), GotA()",
    "spawn_monitor, then demonitor": "{P, R} = A({spawn_monitor, NB, hang, []}), A({demonitor, R}),"
    " A({exit, P, bye})",
    "spawn_monitor, then we end": "A({spawn_monitor, NB, shout_and_hang, [PB, x]}), {got, {x, P}} = GotB(),"
    " B({monitor, P}), A({leave, bye}), B({exit, P, done}), GotB()",
    "spawn with both, then it exits": "A(trap), A({spawn_both, NB, leave, [bye]}), GotA(), GotA()",
    "spawn with both what is not there": "A(trap), A({spawn_both, NB, what, []}), GotA(), GotA()",
    "spawn_monitor at a node that is not there": "case A({spawn_monitor, NX, echo, [x]}) of"
    " {nodedown, _} -> ok; _ -> GotA() end",
    "spawn_link, then disconnect": "A(trap), A({spawn_link, NB, shout_and_hang, [PA, x]}), GotA(),"
    " A({disconnect, NB}), GotA()",
}

REQUESTS = {
    "spawn_request": "A({spawn_request, NB, shout, [PA, x], []}), GotA(), GotA()",
    "spawn_request, tagged": "A({spawn_request, NB, shout, [PA, x], [{reply_tag, {my, tag}}]}), GotA(),"
    " GotA()",
    "spawn_request, no reply": "A({spawn_request, NB, shout, [PA, x], [{reply, no}]}), GotA()",
    "spawn_request, reply to errors only": "A({spawn_request, NB, shout, [PA, x], [{reply,"
    " error_only}]}), GotA()",
    "spawn_request, monitor": "A({spawn_request, NB, leave, [bye], [monitor]}), GotA(), GotA()",
    "spawn_request, link": "A(trap), A({spawn_request, NB, leave, [bye], [link]}), GotA(), GotA()",
    "spawn_request, link and monitor": "A(trap), A({spawn_request, NB, leave, [bye], [link, monitor]}),"
    " GotA(), GotA(), GotA()",
    "spawn_request, options that tune": "A({spawn_request, NB, echo, [x], [{priority, high},"
    " {min_heap_size, 1000}, {fullsweep_after, 5}, {message_queue_data, off_heap}, {max_heap_size,"
    " 0}]}), GotA()",
    "spawn_request, an unknown option": "A({spawn_request, NB, echo, [x], [{what, 1}]}), GotA()",
    "spawn_request, monitor with options": "A({spawn_request, NB, leave, [bye], [{monitor, []}]}),"
    " GotA(), GotA()",
    "spawn_request, options with odd values": "[begin A({spawn_request, NB, echo, [x], [O]}),"
    " GotA() end || O <-"
    " [{priority, low}, {priority, max}, {priority, 1}, {min_heap_size, -1}, {min_heap_size, x},"
    " {min_heap_size, 0}, {min_bin_vheap_size, -1}, {min_bin_vheap_size, 1 bsl 70}, {fullsweep_after, -1},"
    " {fullsweep_after, 1 bsl 70}, {fullsweep_after, 65536}, {fullsweep_after, 0},"
    " {message_queue_data, x}, {message_queue_data, on_heap}, {scheduler, -1}, {scheduler, x},"
    " {scheduler, 0},"
    " {scheduler, 1}, {max_heap_size, x}, {max_heap_size, -1}, {max_heap_size, #{}}, {max_heap_size,"
    " #{size => 0}},"
    " {max_heap_size, #{size => 0, kill => x}}, {max_heap_size, #{size => 0, kill => true,"
    " error_logger => false}},"
    " {max_heap_size, #{size => 1}}, {max_heap_size, #{size => 100000}}, {max_heap_size, 1},"
    " {link, true}, what, {what}, 1, [link]]]",
    "spawn_request, options that are none": "A({spawn_request, NB, echo, [x], what})",
    "spawn_request, no function": "A({spawn_request, NB, what, [x], [monitor]}), GotA(), GotA()",
    "spawn_request at a node that is not there": "A({spawn_request, NX, echo, [x], []}), GotA()",
    "a group leader": "A({leader, PA, PB}), B(leader)",
    "a group leader that goes along": "A({leader, PB, PA}), A({spawn, NB, echo, [x]}), A(leader)",
}

CALLS = {
    "call": "A({call, PB, {answer, x}})",
    "call a name": "B({register, subject}), A({call, {subject, NB}, {answer, {a, [1]}}})",
    "call an unknown name": "A({call, {nobody, NB}, x})",
    "call the dead": "D = Dead(NB), A({call, D, x})",
    "call at a node that is not there": "A({call, {nobody, NX}, x})",
    "call who ends": "A({call, PB, {leave, {bye, 1}}})",
    "call who ends with normal": "A({call, PB, {leave, normal}})",
    "call who is killed": "A({call, PB, {leave, kill}})",
    "call who does not answer": "A({call, PB, x, 10}), GotB()",
    "call who answers too late": "A({call, PB, x, 10}), {got, {_, From, x}} = GotB(), B({reply, From,"
    " late}),"
    " A({call, PB, {answer, y}})",
    "call who answers too late, and not to the alias": "A({call, PB, x, 10}), {got, {_, {_, Tag},"
    " x}} = GotB(),"
    " B({send, PA, {Tag, late}}), A({call, PB, {answer, y}})",
    "cast": "A({cast, PB, x}), GotB()",
    "cast to nobody": "A({cast, {nobody, NB}, x})",
    "messages before a call": "A({send_all, PB, [1, 2]}), A({call, PB, {answer, x}}), GotB(), GotB()",
    "call who traps": "B(trap), A({call, PB, {answer, x}}), A({exit, PB, bye}), GotB(), A({call, PB,"
    " {answer, y}})",
}

ERPC = (
    {
        "erpc, and the caller is killed": "AskA({erpc, NB, shout_and_hang, [PB, x]}), {got, {x,"
        " P}} = GotB(),"
        " B({monitor, P}), exit(PA, kill), GotA(), B({exit, P, done}), GotB()",
        "erpc, and the callee is killed": "AskA({erpc, NB, shout_and_hang, [PB, x]}), {got, {x,"
        " P}} = GotB(),"
        " exit(P, kill), ToldA()",
        "erpc, and the callee gets an exit signal": "AskA({erpc, NB, shout_and_hang, [PB, x]}),"
        " {got, {x, P}} = GotB(), exit(P, bye), ToldA()",
        "rpc, and the callee is killed": "AskA({rpc, NB, shout_and_hang, [PB, x]}), {got, {x, P}} = GotB(),"
        " exit(P, kill), ToldA()",
        "call, and the callee is killed": "AskA({call, PB, x}), GotB(), exit(PB, kill), ToldA()",
        "call, and the caller is killed": "B({monitor, PA}), AskA({call, PB, x}), GotB(), exit(PA,"
        " kill), GotB()",
    }
    | {
        f"{word}, {name}": f"A({{{word}, NB, {rest}}})"
        for word in ("erpc", "rpc")
        for name, rest in {
            "returns": "echo, [{a, #{b => [1.5, <<2>>]}}]",
            "throws": "toss, [ball]",
            "errors": "fail, [oops]",
            "exits": "leave, [{bye, 1}]",
            "exits with normal": "leave, [normal]",
            "undef": "what, [1, 2]",
            "undef by arity": "echo, [1, 2]",
            "is killed": "suicide, []",
            "times out": "hang, [], 20",
            "of much": "echo, [binary:copy(<<7>>, 3000000)]",
        }.items()
    }
    | {
        "erpc, at a node that is not there": "A({erpc, NX, echo, [x]})",
        "rpc, at a node that is not there": "A({rpc, NX, echo, [x]})",
        "erpc, no time at all": "A({erpc, NB, hang, [], 0})",
        "erpc, for ever": "A({erpc, NB, echo, [x], infinity})",
        "erpc, no list of arguments": "A({erpc, NB, echo, x})",
        "erpc, no node": "A({erpc, <<1>>, echo, [x]})",
        "erpc:cast": "A({erpc_cast, NB, shout, [PA, x]}), GotA()",
        "erpc:cast of what is not there": "A({erpc_cast, NB, what, []})",
        "erpc:cast to a node that is not there": "A({erpc_cast, NX, echo, [x]})",
        "erpc:multicall": "A({erpc_multicall, [NB, NX], echo, [x]})",
        "erpc:multicall that exits": "A({erpc_multicall, [NB], leave, [bye]})",
        "erpc:send_request": "A({erpc_send, NB, echo, [x]})",
        "erpc:send_request that exits": "A({erpc_send, NB, leave, [bye]})",
        "rpc:cast": "A({rpc_cast, NB, shout, [PA, x]}), GotA()",
        "rpc:multicall": "A({rpc_multicall, [NB, NX], echo, [x]})",
        "rpc:multicall that exits": "A({rpc_multicall, [NB], leave, [bye]})",
        "rpc:block_call": "A({rpc_block, NB, echo, [x]})",
        "rpc:block_call that exits": "A({rpc_block, NB, leave, [bye]})",
        "rpc:block_call that throws": "A({rpc_block, NB, toss, [ball]})",
        "rpc:block_call of what is not there": "A({rpc_block, NB, what, []})",
        "rpc:block_call to a node that is not there": "A({rpc_block, NX, echo, [x]})",
    }
)
