"""A value that must never be shown: it prints as ***, and refuses to be copied, pickled, compared into a set or made JSON.

Python cannot wipe a str; what can be done is to hold it briefly, in one type that leaks nowhere by accident.
"""

from typing import NoReturn


class Secret:
    """A password or token.  `reveal` is the only way to its text; call it where the bytes go onto a verified TLS socket."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __hash__(self) -> NoReturn:
        raise TypeError("a Secret cannot be hashed")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a Secret cannot be copied or pickled")
