"""Query parameters that no route declares: refused, since whoever misspells a filter would be shown everything instead.

What a route takes is read from the route itself, so that nothing has to be kept in step with it.
"""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Final

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant

from mailwatch.web.auth import Needs
from mailwatch.web.problems import Problem

_MOST_TOLD: Final = 20
_LONGEST: Final = 80
_ALIKE: Final = 0.5  #: how like a name must be to be meant: `since` for `snc`, and nothing for `x`


def declared(dependant: Dependant) -> frozenset[str]:
    """The names of the query parameters of a route, those of its dependencies included."""
    return frozenset(_names(dependant))


def _names(dependant: Dependant) -> Iterator[str]:
    yield from (field.alias for field in dependant.query_params)
    for inner in dependant.dependencies:
        yield from _names(inner)


async def declared_only(request: Request) -> None:
    """Refuses a query with a name that the route does not know; raises Problem, of who may not ask at all first."""
    dependant: Dependant = request.scope["route"].dependant
    known = declared(dependant)
    unknown = list(dict.fromkeys(name for name in request.query_params if name not in known))
    if not unknown:
        return
    for dependency in dependant.dependencies:
        if isinstance(dependency.call, Needs):  # what a route takes is told to nobody who may not ask it
            await dependency.call(request)
    errors = [{"field": name[:_LONGEST], "in": "query", "problem": _problem(name, known)} for name in unknown[:_MOST_TOLD]]
    raise Problem("invalid", "; ".join(f"{each['field']}: {each['problem']}" for each in errors)[:500], errors=errors)


def _problem(name: str, known: frozenset[str]) -> str:
    if not known:
        return "there is no such parameter; this takes none"
    near = get_close_matches(name.lower()[:_LONGEST], sorted(known), n=1, cutoff=_ALIKE)
    return f"there is no such parameter; did you mean {near[0]}?" if near else f"there is no such parameter, only {_listed(known)}"


def _listed(known: frozenset[str]) -> str:
    return ", ".join(sorted(known))


#: For every route of the API.
DeclaredOnly: Final = Depends(declared_only)
