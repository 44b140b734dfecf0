"""Links, monitors, exits, messages, lost connections, aliases: a part of tests/support/situations.py."""

from __future__ import annotations

LINKS = {
    "link, then it returns": "A(trap), A({link, PB}), B(return), GotA()",
    "link, then it exits": "A(trap), A({link, PB}), B({leave, {bye, [1]}}), GotA()",
    "link, then it exits, not trapped": "A({link, PB}), B({leave, {bye, 1}}), GotA()",
    "link, then it returns, not trapped": "A({link, PB}), B(return), GotB()",
    "link, then it exits with normal": "A({link, PB}), B({leave, normal}), GotB()",
    "link, then it exits with kill": "A({link, PB}), B({leave, kill}), GotA()",
    "link, then it exits with kill, trapped": "A(trap), A({link, PB}), B({leave, kill}), GotA()",
    "link, then it is killed": "A({link, PB}), exit(PB, kill), GotA()",
    "link, then it is killed, trapped": "A(trap), A({link, PB}), A({exit, PB, kill}), GotA()",
    "link, then we are killed": "B(trap), A({link, PB}), B({exit, PA, kill}), GotB()",
    "link, then we exit": "B(trap), A({link, PB}), A({leave, bye}), GotB()",
    "link, then it exits with much": "A(trap), A({link, PB}), B(leave_huge), GotA()",
    "link, then it exits with much, not trapped": "A({link, PB}), B(leave_huge), GotA()",
    "link, then it exits with odd reasons": "A(trap), A({link, PB}),"
    " B({leave, [1.5, <<5:3>>, [a | b], #{1 => 2, 1.0 => 3}, fun erlang:self/0, 'ünï', -1 bsl 70,"
    ' "text"]}), GotA()',
    "a chain of links": "A(trap), A({link, PB}), B({spawn_link, NA, shout_and_hang, [PA, x]}),"
    " {got, {x, P}} = GotA(), A({monitor, P}), exit(PB, bye), GotA(), GotA()",
    "link twice, unlink once": "A({link, PB}), A({link, PB}), A({unlink, PB}), B({leave, bye})",
    "link twice": "A(trap), A({link, PB}), A({link, PB}), B({leave, bye}), GotA()",
    "unlink": "A({link, PB}), A({unlink, PB}), B({leave, bye})",
    "unlink by the other": "A({link, PB}), B({unlink, PA}), B({leave, bye})",
    "unlink what is not linked": "A({unlink, PB}), B({leave, bye})",
    "unlink the dead": "D = Dead(NB), A({unlink, D})",
    "link, unlink, link": "A(trap), A({link, PB}), A({unlink, PB}), A({link, PB}), B({leave, bye}), GotA()",
    "link, unlink and link many times": "A(trap), [A({Do, PB}) || _ <- [1, 2, 3], Do <- [link, unlink]],"
    " A({link, PB}), B({leave, bye}), GotA()",
    "link from both": "A(trap), Both({{link, PB}, {link, PA}}), B({leave, bye}), GotA()",
    "link from both, many times": "A(trap), [begin Both({{link, PB}, {link, PA}}),"
    " Both({{unlink, PB}, {unlink, PA}}) end || _ <- lists:seq(1, 5)], B({leave, bye})",
    "link from both, then unlink from both": "Both({{link, PB}, {link, PA}}),"
    " Both({{unlink, PB}, {unlink, PA}}), B({leave, bye})",
    "unlink from one, link from the other, at once": "A(trap), A({link, PB}),"
    " Both({{unlink, PB}, {link, PA}}), A({unlink, PB}),"
    " B({leave, bye})",
    "link to the dead, trapping": "A(trap), D = Dead(NB), A({link, D}), GotA()",
    "link to the dead, not trapping": "D = Dead(NB), A({link, D})",
    "link to itself": "A({link, PA}), A({unlink, PA})",
    "link to who just lost its name": "A(trap), B({register, subject}), B({leave, bye}), GotB(),"
    " A({link, PB}), GotA()",
    "stop trapping, then a link breaks": "A(trap), A({link, PB}), A(no_trap), B({leave, bye}), GotA()",
    "messages before the end over a link": "A(trap), A({link, PB}),"
    " B({send_all_and_leave, PA, [1, 2, 3], bye}), GotA(), GotA(), GotA(), GotA()",
    "link and monitor": "A(trap), A({link, PB}), A({monitor, PB}), B({leave, bye}), GotA(), GotA()",
    "a link breaks, and the links of who ends by it": "B(trap), A({link, PB}), A({exit, PA, bye}), GotB()",
}

MONITORS = {
    "monitor, then it returns": "A({monitor, PB}), B(return), GotA()",
    "monitor, then it exits": "A({monitor, PB}), B({leave, {bye, 1}}), GotA()",
    "monitor, then it is killed": "A({monitor, PB}), A({exit, PB, kill}), GotA()",
    "monitor, then it exits with much": "A({monitor, PB}), B(leave_huge), GotA()",
    "monitor a name": "B({register, subject}), A({monitor, {subject, NB}}), B({leave, bye}), GotA()",
    "monitor a name that it loses": "B({register, subject}), A({monitor, {subject, NB}}),"
    " B({unregister, subject}), B({leave, bye}), GotA()",
    "monitor an unknown name": "A({monitor, {nobody, NB}}), GotA()",
    "monitor a name that is free again": "B({register, subject}), B({unregister, subject}),"
    " A({monitor, {subject, NB}}), GotA()",
    "monitor the dead": "D = Dead(NB), A({monitor, D}), GotA()",
    "monitor at a node that is not there": "A({monitor, {subject, NX}}), GotA()",
    "monitor itself": "A({monitor, PA})",
    "monitor its own name": "A({register, subject}), A({monitor, {subject, NA}}), A({unregister, subject})",
    "monitor a name here": "A({monitor, nobody}), GotA()",
    "monitor twice": "A({monitor, PB}), A({monitor, PB}), B({leave, bye}), GotA(), GotA()",
    "monitor each other": "A({monitor, PB}), B({monitor, PA}), B({leave, bye}), GotA()",
    "demonitor": "R = A({monitor, PB}), A({demonitor, R}), B({leave, bye})",
    "demonitor one of two": "R = A({monitor, PB}), A({monitor, PB}), A({demonitor, R}), B({leave, bye}),"
    " GotA()",
    "demonitor twice": "R = A({monitor, PB}), A({demonitor, R}), A({demonitor, R}), B({leave, bye})",
    "demonitor a name": "B({register, subject}), R = A({monitor, {subject, NB}}), A({demonitor, R}),"
    " B({leave, bye})",
    "demonitor what fired": "R = A({monitor, PB}), B({leave, bye}), GotA(), A({demonitor, R})",
    "demonitor what fired, flush": "R = A({monitor, PB}), B({leave, bye}), GotA(), A({demonitor, R,"
    " [flush]})",
    "demonitor, info": "R = A({monitor, PB}), A({demonitor, R, [info]}), A({demonitor, R, [info]}),"
    " B({leave, bye})",
    "demonitor, flush and info": "R = A({monitor, PB}), A({demonitor, R, [flush, info]}), B({leave, bye})",
    "demonitor what fired, info": "R = A({monitor, PB}), B({leave, bye}), GotA(), A({demonitor, R, [info]})",
    "demonitor by who did not monitor": "R = B({monitor, PA}), A({demonitor, R}), A({leave, bye}), GotB()",
    "messages before the end that is watched": "A({monitor, PB}),"
    " B({send_all_and_leave, PA, [1, 2, 3], bye}), GotA(), GotA(), GotA(), GotA()",
}

EXITS = {
    "exit with normal": "A({exit, PB, normal})",
    "exit with normal, trapped": "B(trap), A({exit, PB, normal}), GotB()",
    "exit with a reason": "A({exit, PB, {bye, 1}}), GotB()",
    "exit with a reason, trapped": "B(trap), A({exit, PB, {bye, 1}}), GotB()",
    "exit with kill": "A({exit, PB, kill}), GotB()",
    "exit with kill, trapped": "B(trap), A({exit, PB, kill}), GotB()",
    "exit with killed, trapped": "B(trap), A({exit, PB, killed}), GotB()",
    "exit with noconnection": "A({exit, PB, noconnection}), GotB()",
    "exit with a binary that reads normal": 'A({exit, PB, <<"normal">>}), GotB()',
    "exit with a binary that reads kill, trapped": 'B(trap), A({exit, PB, <<"kill">>}), GotB()',
    "exit with much": "A({exit_huge, PB}), GotB()",
    "exit with much, trapped": "B(trap), A({exit_huge, PB}), GotB()",
    "exit of the dead": "D = Dead(NB), A({exit, D, bye})",
    "exit of itself": "A({exit, PA, bye})",
    "exit of itself, trapped": "A(trap), A({exit, PA, bye}), GotA()",
    "exit of itself with normal": "A({exit, PA, normal})",
    "exit of itself with normal, trapped": "A(trap), A({exit, PA, normal}), GotA()",
    "exit of itself with kill, trapped": "A(trap), A({exit, PA, kill})",
    "exit does not break links": "A(trap), A({link, PB}), B(trap), A({exit, PB, bye}), GotB(),"
    " B(return), GotA()",
    "messages before and after an exit": "B(trap), A({send_all, PB, [1, 2]}), A({exit, PB, bye}),"
    " A({send_all, PB, [3, 4]}), GotB(), GotB(), GotB(), GotB(), GotB()",
    "messages after an exit": "A({exit, PB, bye}), A({send_all, PB, [1, 2]}), GotB()",
    "an end frees its name": "B({register, subject}), B({leave, bye}), A({send, {subject, NB}, x}),"
    " A({call, {subject, NB}, x})",
}

MESSAGES = {
    "send to the dead": "D = Dead(NB), A({send, D, x})",
    "send to a name": "B({register, subject}), A({send, {subject, NB}, x}), GotB()",
    "send to an unknown name": "A({send, {nobody, NB}, x})",
    "send by pid and by name, in order": "B({register, subject}), A({send, PB, 1}),"
    " A({send, {subject, NB}, 2}), A({send, PB, 3}), GotB(), GotB(), GotB()",
    "send both ways": "Both({{send, PB, x}, {send, PA, y}}), GotA(), GotB()",
    "send what looks like an answer": "A({send, PB, {make_ref(), x}}), A({send, PB,"
    " {[alias | make_ref()], x}}),"
    " GotB(), GotB()",
    "much, then little": "X = binary:copy(<<7>>, 300000),"
    " A({send_all, PB, [X, 1, X, 2, X, 3]}), [GotB() || _ <- [1, 2, 3, 4, 5, 6]]",
    "much, by pid and by name": "B({register, subject}), X = binary:copy(<<7>>, 300000),"
    " A({send, PB, X}), A({send, {subject, NB}, 1}), A({send, {subject, NB}, X}), A({send, PB, 2}),"
    " [GotB() || _ <- [1, 2, 3, 4]]",
    "much, then an end over a link": "A(trap), A({link, PB}), X = binary:copy(<<7>>, 300000),"
    " B({send_all_and_leave, PA, [X, 1, X], bye}), [GotA() || _ <- [1, 2, 3, 4]]",
    "much, then an end that is watched": "A({monitor, PB}), X = binary:copy(<<7>>, 300000),"
    " B({send_all_and_leave, PA, [X, 1, X], bye}), [GotA() || _ <- [1, 2, 3, 4]]",
    "much, then an exit": "B(trap), X = binary:copy(<<7>>, 300000), A({send_all, PB, [X, 1, X]}),"
    " A({exit, PB, bye}), [GotB() || _ <- [1, 2, 3, 4]]",
    "much, then unlink": "A(trap), A({link, PB}), X = binary:copy(<<7>>, 300000), A({send_all, PB, [X,"
    " 1]}),"
    " A({unlink, PB}), [GotB() || _ <- [1, 2]], B({leave, bye})",
    "with a trace token": "A(token), A({link, PB}), A({unlink, PB}), A({send, PB, x}), B({register,"
    " subject}),"
    " A({send, {subject, NB}, y}), A({call, PB, {answer, z}}), A({monitor, PB}), A({exit, PB, {bye, 1}}),"
    " [GotB() || _ <- [1, 2, 3]], GotA()",
    "with a trace token, functions": "A(token), A({erpc, NB, echo, [x]}), A({spawn, NB, shout, [PA,"
    " y]}), GotA()",
    "with a trace token, an end": "B(trap), A(token), A({link, PB}), A({leave, bye}), GotB()",
    "send what looks like an end": "A({send, PB, {'DOWN', make_ref(), process, PA, x}}),"
    " A({send, PB, {'EXIT', PA, x}}), GotB(), GotB()",
}

LOST = {
    "disconnect": "A({disconnect, NB})",
    "a link, then disconnect": "A(trap), B(trap), A({link, PB}), A({disconnect, NB}), GotA(), GotB()",
    "a link, then disconnect, not trapped": "A({link, PB}), A({disconnect, NB}), GotA(), GotB()",
    "a monitor, then disconnect": "A({monitor, PB}), A({disconnect, NB}), GotA()",
    "a monitor, then the other disconnects": "A({monitor, PB}), B({disconnect, NA}), GotA()",
    "a monitor of a name, then disconnect": "B({register, subject}), A({monitor, {subject, NB}}),"
    " A({disconnect, NB}), GotA()",
    "a monitor that was taken back, then disconnect": "R = A({monitor, PB}), A({demonitor, R}),"
    " A({disconnect, NB})",
    "a link that was taken back, then disconnect": "A(trap), B(trap), A({link, PB}), A({unlink, PB}),"
    " A({disconnect, NB})",
    "a monitor fires once": "A({monitor, PB}), A({disconnect, NB}), GotA(), B({leave, bye})",
    "a link fires once": "A(trap), A({link, PB}), A({disconnect, NB}), GotA(), B({leave, bye})",
    "messages before a disconnect": "A({monitor, PB}), B({send_all, PA, [1, 2, 3]}),"
    " A({disconnect, NB}), GotA()",
    "a call, then disconnect": "AskA({call, PB, x}), GotB(), B({disconnect, NA}), ToldA()",
    "a call by name, then disconnect": "B({register, subject}), AskA({call, {subject, NB}, x}), GotB(),"
    " B({disconnect, NA}), ToldA()",
    "erpc, then disconnect": "AskA({erpc, NB, shout_and_hang, [PB, x]}), GotB(), B({disconnect, NA}),"
    " ToldA()",
    "rpc, then disconnect": "AskA({rpc, NB, shout_and_hang, [PB, x]}), GotB(), B({disconnect, NA}), ToldA()",
    "a link and a monitor, then disconnect": "A(trap), A({link, PB}), A({monitor, PB}), A({disconnect,"
    " NB}),"
    " GotA(), GotA()",
    "a spawned one goes on after a disconnect": "A({spawn, NB, shout_and_hang, [PB, x]}), {got, {x,"
    " P}} = GotB(),"
    " B({monitor, P}), A({disconnect, NB}), B({exit, P, done}), GotB()",
    "an end over a connection that is lost": "B({monitor, PA}), A({disconnect, NB}), GotB(), A({leave, bye})",
    "a link over a new connection": "A(trap), A({disconnect, NB}), A({link, PB}), B({leave, bye}), GotA()",
    "a name over a new connection": "B({register, subject}), A({disconnect, NB}), A({send, {subject,"
    " NB}, x}),"
    " GotB()",
}

ALIASES = {
    "send to an alias": "R = A(alias), B({send, R, x}), GotA()",
    "send to an alias after unalias": "R = A(alias), A({unalias, R}), B({send, R, x})",
    "unalias twice": "R = A(alias), A({unalias, R}), A({unalias, R})",
    "unalias of another's": "R = B(alias), A({unalias, R}), A({send, R, x}), GotB()",
    "an alias for one reply": "R = A(alias_once), B({send, R, x}), B({send, R, y}), GotA(), A({unalias, R})",
    "an alias for one reply, not by alias": "R = A(alias_once), B({send, PA, x}), B({send, R, y}),"
    " B({send, R, z}), GotA(), GotA()",
    "an alias of the dead": "R = B(alias), B({leave, bye}), GotB(), A({send, R, x})",
    "an alias and a pid, in order": "R = A(alias), B({send_all, R, [1, 2]}), B({send, PA, 3}),"
    " B({send, R, 4}), GotA(), GotA(), GotA(), GotA()",
    "much to an alias, then little to the pid": "R = A(alias), X = binary:copy(<<7>>, 300000),"
    " B({send, R, X}), B({send, PA, 1}), B({send, R, 2}), [GotA() || _ <- [1, 2, 3]]",
    "with priority, to a pid": "A({send_priority, PB, x}), GotB()",
    "with priority, to an alias": "R = B(alias), A({send_priority, R, x}), GotB()",
    "with priority, to an alias that is gone": "R = B(alias), B({unalias, R}), A({send_priority, R, x})",
    "exit with priority": "A({exit_priority, PB, bye}), GotB()",
    "exit with priority, trapped": "B(trap), A({exit_priority, PB, bye}), GotB()",
    "exit with priority, kill": "B(trap), A({exit_priority, PB, kill}), GotB()",
    "exit with priority, of an alias": "B(trap), R = B(alias), A({exit_priority, R, bye}), A({send, R,"
    " x}), GotB()",
    "exit with priority, of an alias, not trapped": "R = B(alias), A({exit_priority, R, bye}), A({send,"
    " R, x})",
    "exit with priority, of an alias that is gone": "B(trap), R = B(alias), B({unalias, R}),"
    " A({exit_priority, R, bye})",
    "with priority, to a priority alias": "R = B(alias_priority), HoldB(5), A({send, PB, 1}),"
    " A({send_priority, R, 2}), A({send, R, 3}), A({send_priority, R, 4}), A({send_priority, PB, 5}),"
    " [GotB() || _ <- [1, 2, 3, 4, 5]]",
    "with priority, to a plain alias": "R = B(alias), HoldB(2), A({send, PB, 1}),"
    " A({send_priority, R, 2}), GotB(), GotB()",
    "with priority, to a priority alias for one reply": "R = B(alias_once_priority), HoldB(3),"
    " A({send, PB, 1}), A({send_priority, R, 2}), A({send_priority, R, 3}), A({send, PB, 4}),"
    " [GotB() || _ <- [1, 2, 3]]",
    "with priority, to a priority alias that is gone": "R = B(alias_priority), B({unalias, R}),"
    " A({send_priority, R, x})",
    "with priority, to a name": "B({register, held}), HoldB(2), A({send, PB, 1}),"
    " A({send_priority, {held, NB}, 2}), GotB(), GotB()",
    "with priority, much to a priority alias": "R = B(alias_priority), HoldB(3), A({send, PB, 1}),"
    " A({send_priority, R, binary:copy(<<7>>, 300000)}), A({send_priority, R, 2}),"
    " [GotB() || _ <- [1, 2, 3]]",
    "exit with priority, of a priority alias": "B(trap), R = B(alias_priority), HoldB(5),"
    " A({send, PB, 1}), A({exit_priority, R, bye}), A({exit_plain, R, late}), A({exit_priority, PB, last}),"
    " A({send_priority, R, 2}), [GotB() || _ <- [1, 2, 3, 4, 5]]",
    "exit with priority, of a priority alias, not trapped": "R = B(alias_priority),"
    " A({exit_priority, R, bye}), GotB()",
    "exit with priority, of a priority alias, kill": "B(trap), R = B(alias_priority),"
    " A({exit_priority, R, kill}), GotB()",
    "exit with priority, of a priority alias, normal": "R = B(alias_priority),"
    " A({exit_priority, R, normal}), A({send, R, x}), GotB()",
    "exit with priority, of a priority alias for one reply": "B(trap), R = B(alias_once_priority),"
    " A({exit_priority, R, bye}), A({exit_priority, R, bye}), A({send, R, 1}), A({exit_priority, R, bye}),"
    " [GotB() || _ <- [1, 2, 3]]",
    "exit as with priority, but plain, of an alias": "B(trap), R = B(alias), A({exit_plain, R, bye}), GotB()",
    "exit with priority, of one's own alias": "A(trap), R = A(alias_priority),"
    " A({exit_priority, R, bye}), GotA()",
    "a link with priority": "A(trap), A({link_priority, PB}), HoldA(3),"
    " B({send_all_and_leave, PA, [1, 2], bye}), [GotA() || _ <- [1, 2, 3]]",
    "a link with priority, made plain again": "A(trap), A({link_priority, PB}), A({link, PB}),"
    " HoldA(2), B({send_all_and_leave, PA, [1], bye}), GotA(), GotA()",
    "a plain link, made one with priority": "A(trap), A({link, PB}), A({link_priority, PB}),"
    " HoldA(2), B({send_all_and_leave, PA, [1], bye}), GotA(), GotA()",
    "a link with priority, made by the other": "A(trap), B({link_priority, PA}), HoldA(2),"
    " B({send_all_and_leave, PA, [1], bye}), GotA(), GotA()",
    "a link with priority, taken back and made plain": "A(trap), A({link_priority, PB}), A({unlink, PB}),"
    " A({link, PB}), HoldA(2), B({send_all_and_leave, PA, [1], bye}), GotA(), GotA()",
    "a link with priority, taken back by the other": "A(trap), A({link_priority, PB}), B({unlink, PA}),"
    " B({link, PA}), HoldA(2), B({send_all_and_leave, PA, [1], bye}), GotA(), GotA()",
    "a link with priority, exit/2 over it": "A(trap), A({link_priority, PB}), HoldA(2),"
    " B({send, PA, 1}), B({exit, PA, bye}), GotA(), GotA()",
    "a link with priority, not trapping": "A({link_priority, PB}), B({leave, bye}), GotA()",
    "a link with priority, to the dead": "A(trap), D = Dead(NB), A({link_priority, D}), GotA()",
    "a link with priority, then disconnect": "A(trap), A({link_priority, PB}), A({disconnect, NB}), GotA()",
    "a monitor with priority": "A({monitor_priority, PB}), HoldA(3),"
    " B({send_all_and_leave, PA, [1, 2], bye}), [GotA() || _ <- [1, 2, 3]]",
    "a monitor with priority, of a name": "B({register, held}), A({monitor_priority, {held, NB}}),"
    " HoldA(2), B({send_all_and_leave, PA, [1], bye}), GotA(), GotA()",
    "a monitor with priority, and a plain one of a name": "B({register, held}), A({monitor_priority, PB}),"
    " A({monitor, {held, NB}}), HoldA(3), B({send_all_and_leave, PA, [1], bye}),"
    " [GotA() || _ <- [1, 2, 3]]",
    "a monitor with priority, of the dead": "D = Dead(NB), A({monitor_priority, D}), GotA()",
    "a monitor with priority, then disconnect": "A({monitor_priority, PB}), A({disconnect, NB}), GotA()",
    "two aliases": "R = A(alias), S = A(alias), A({unalias, R}), B({send, R, x}), B({send, S, y}), GotA()",
    "an alias, then disconnect": "R = A(alias), A({disconnect, NB}), B({send, R, x}), GotA()",
    "a monitor's alias": "R = A({monitor, PB, explicit_unalias}), B({send, R, x}), GotA(),"
    " B({leave, bye}), GotA(), A({unalias, R})",
    "a monitor's alias, after demonitor": "R = A({monitor, PB, demonitor}), A({demonitor, R}), B({send,"
    " R, x})",
    "a monitor's alias, after its end": "R = A({monitor, PB, demonitor}), B({leave, bye}), GotA(),"
    " A({unalias, R})",
    "a monitor's own alias, after demonitor": "R = A({monitor, PB, explicit_unalias}), A({demonitor, R}),"
    " B({send, R, x}), GotA()",
    "a monitor's alias, one reply": "R = A({monitor, PB, reply_demonitor}), B({send, R, x}), B({send, R,"
    " y}),"
    " B({leave, bye}), GotA()",
    "a monitor's alias, one reply, after its end": "R = A({monitor, PB, reply_demonitor}), B({leave, bye}),"
    " GotA(), A({unalias, R})",
}
