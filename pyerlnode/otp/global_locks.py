"""The locks of ``global``, as one node keeps them (kernel's ``global:set_lock/3``).

A lock is a resource and a requester; every process that set it must release it, or die.  Terms are
compared as the BEAM does, exactly, by their external form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyerlnode.term import Pid, encode_bare

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyerlnode.term import Reference, Term


class Lock:
    """One lock: whose request it is, and which processes hold it, each under a monitor of ours."""

    def __init__(self, requester: bytes) -> None:
        self.requester = requester
        self.holders: dict[Pid, Reference] = {}


class Locks:
    """Every lock that is set here."""

    def __init__(
        self, watch: Callable[[Pid], Reference | None], unwatch: Callable[[Reference], None]
    ) -> None:
        """`watch` starts a monitor, and gives None where that fires at once."""
        self._locks: dict[bytes, Lock] = {}
        self._watched: dict[Reference, bytes] = {}
        self._watch = watch
        self._unwatch = unwatch

    def __len__(self) -> int:
        return len(self._locks)

    def is_free(self, ident: Term) -> bool:
        """Whether a request for `ident`, ``{Resource, Requester}``, would be granted now."""
        resource, requester = _keys(ident)
        lock = self._locks.get(resource)
        return lock is None or lock.requester == requester

    def set(self, ident: Term, holder: Pid) -> bool:
        """Lets `holder` hold the lock; False where another requester has it."""
        resource, requester = _keys(ident)
        lock = self._locks.setdefault(resource, Lock(requester))
        if lock.requester != requester:
            return False
        if holder not in lock.holders:
            ref = self._watch(holder)
            if ref is not None:
                lock.holders[holder] = ref
                self._watched[ref] = resource
            elif not lock.holders:
                del self._locks[resource]
        return True

    def delete(self, ident: Term, holder: Pid) -> None:
        """Releases what `holder` holds of the lock."""
        resource, requester = _keys(ident)
        lock = self._locks.get(resource)
        if lock is not None and lock.requester == requester and holder in lock.holders:
            ref = lock.holders[holder]
            self._unwatch(ref)
            self._release(ref)

    def holder_down(self, ref: Reference) -> bool:
        """The holder that is watched under `ref` died; False where that watches none."""
        if ref not in self._watched:
            return False
        self._release(ref)
        return True

    def _release(self, ref: Reference) -> None:
        resource = self._watched.pop(ref)
        lock = self._locks[resource]
        for holder in [holder for holder, watched in lock.holders.items() if watched == ref]:
            del lock.holders[holder]
        if not lock.holders:
            del self._locks[resource]


def _keys(ident: Term) -> tuple[bytes, bytes]:
    resource, requester = ident
    return encode_bare(resource), encode_bare(requester)


def is_lock_id(ident: Term) -> bool:
    """Whether `ident` has the shape ``{Resource, Requester}``."""
    return type(ident) is tuple and len(ident) == 2
