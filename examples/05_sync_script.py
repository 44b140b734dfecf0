"""The same verbs without asyncio, for scripts and notebooks.  Start examples/05_sync_script.exs first."""

from __future__ import annotations

from pyerlnode import Atom, NoProc
from pyerlnode.sync import Node

PEER = "node1@127.0.0.1"

with Node("py@127.0.0.1", cookie="cookie") as node:
    print(node.connect(PEER))  # => True
    print(node.list())  # => ['node1@127.0.0.1']
    print(node.call(("counter", PEER), (Atom("add"), 2)))  # => (Atom('ok'), 42)
    try:
        node.call(("nobody", PEER), Atom("hello"))
    except NoProc:
        print("no such process")  # => no such process

    with node.process() as me:
        me.monitor(("counter", PEER))
        me.send(("counter", PEER), Atom("unexpected"))  # GenServers log this and go on
        node.cast(("counter", PEER), Atom("unknown"))  # this one crashes it
        print(me.receive(timeout=5)[0])  # => DOWN
