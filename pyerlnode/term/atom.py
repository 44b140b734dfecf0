"""Erlang atoms as Python strings that remember to be atoms.

An :class:`Atom` equals the plain ``str`` of the same text, so ``case ("ok", value)`` and ``m["name"]``
read naturally; what differs is how it is encoded.  Most atoms come again and again, so they are
interned, up to a bound: unlike the BEAM's, this table cannot be filled up by a peer.  Beyond the
bound atoms still work, they are just not kept.
(ERTS User's Guide, "External Term Format", ATOM_UTF8_EXT.)
"""

from __future__ import annotations

from typing import Any, Final

from pyerlnode.limits import DEFAULT
from pyerlnode.term import tags
from pyerlnode.term.modes import ordinary

MAX_CHARACTERS: Final = 255
"""The longest atom that Erlang knows, in characters."""


@ordinary
class Atom(str):
    """An atom: ``Atom("ok") == "ok"``, but it is encoded as an atom where a ``str`` becomes a binary.

    Raises ``ValueError`` for more than 255 characters, or for text that has no UTF-8 form.
    """

    __slots__ = ("external",)

    external: bytes
    """This atom in the external term format."""

    def __new__(cls, name: str) -> Atom:
        """Return the atom called ``name``, the one there is already if it is interned."""
        known = _by_name.get(name)
        return known if known is not None else _keep(_make(name), DEFAULT.atoms)

    def __repr__(self) -> str:
        return f"Atom({str.__repr__(self)})"

    def __reduce__(self) -> tuple[type[Atom], tuple[str]]:
        return (Atom, (str(self),))

    def __copy__(self) -> Atom:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Atom:
        return self


def _make(name: str) -> Atom:
    if len(name) > MAX_CHARACTERS:
        raise ValueError(f"an atom has at most {MAX_CHARACTERS} characters, this one would have {len(name)}")
    raw = str.encode(name)  # UnicodeEncodeError is a ValueError and says which character
    atom = str.__new__(Atom, name)
    small = len(raw) < 256
    header = (
        bytes((tags.SMALL_ATOM_UTF8, len(raw)))
        if small
        else b"%c%c%c" % (tags.ATOM_UTF8, *divmod(len(raw), 256))
    )
    atom.external = header + raw
    return atom


def _keep(atom: Atom, bound: int) -> Atom:
    if len(_by_name) < bound:
        return _by_name.setdefault(str(atom), atom)
    return atom


_by_name: dict[str, Atom] = {}

TRUE: Final = Atom("true")
FALSE: Final = Atom("false")
NIL: Final = Atom("nil")

by_utf8: dict[bytes, Atom | bool | None] = {b"true": True, b"false": False, b"nil": None}
"""What the UTF-8 text of an atom stands for: the decoder's way to skip decoding it again."""


def from_utf8(raw: bytes, bound: int) -> Atom | bool | None:
    """Return what an atom's UTF-8 text stands for; keep it when fewer than ``bound`` are kept.

    Raises ``ValueError`` for invalid UTF-8 or more than 255 characters.
    """
    try:
        return by_utf8[raw]
    except KeyError:
        name = raw.decode()
    atom = _by_name.get(name)
    if atom is None:
        atom = _keep(_make(name), bound)
    if len(by_utf8) < bound:
        by_utf8[raw] = atom
    return atom


def special_atom(value: bool | None) -> Atom:
    """Return the atom that ``True``, ``False`` or ``None`` stands for."""
    if value is None:
        return NIL
    return TRUE if value else FALSE


def as_atom(value: Any) -> Atom | None:
    """Return the atom that ``value`` stands for (``True``, ``False``, ``None`` do), or ``None``."""
    if isinstance(value, Atom):
        return value
    return special_atom(value) if value is None or isinstance(value, bool) else None


def same_text(one: str, other: str) -> bool:
    """Whether two atoms are equal.  Not the same as ``one == other``, where both are declared as atoms.

    Compiled, that compares addresses, as for any class without an ``__eq__`` of its own; and beyond a bound
    atoms are not kept, so that there are several of one text.
    """
    return one is other or one == other
