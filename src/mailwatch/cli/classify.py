"""`mailwatch classify` and `mailwatch explain`: what a reply means, for programs and for people."""

import io
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from mailwatch.cli.output import CliError, ExitCode, console, emit_json, ends_cleanly, say
from mailwatch.cli.states_page import STATES
from mailwatch.core.cause_texts import family_of, remedy_for, texts_for, verdict_of
from mailwatch.core.causes import Cause, profile_of
from mailwatch.core.classify import diagnose, owner_of
from mailwatch.core.evidence import Evidence, Phase
from mailwatch.core.lifecycle import State
from mailwatch.core.providers import OTHER, PROVIDERS
from mailwatch.core.raw_text import PHASE_OF_STAGE, RowError, evidence_of_row, evidence_of_text
from mailwatch.core.standing import Diagnosis

_HEALS: Final = {
    "transient": "heals by itself: mailwatch retries with growing pauses",
    "throttled": "heals by waiting: mailwatch pauses for long, or as long as the server names",
    "refresh": "heals by a new access token, which mailwatch fetches at once",
    "human": "heals only when a person acts: mailwatch stops logging in",
    "planned": "is no failure: mailwatch reconnects silently",
}


_PROVIDERS: Final = (*sorted(PROVIDERS), OTHER)


@contextmanager
def _lines_of(file: Path | None) -> Iterator[Iterator[str]]:
    """The lines of *file*, or of stdin; bytes that are no UTF-8 become U+FFFD instead of ending the run."""
    if file is None or str(file) == "-":
        yield io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", errors="replace", newline="\n")
        return
    try:
        with file.open(encoding="utf-8", errors="replace", newline="\n") as lines:
            yield lines
    except FileNotFoundError as error:
        raise CliError(f"{file}: there is no such file") from error
    except IsADirectoryError as error:
        raise CliError(f"{file}: this is a directory; name a file of JSON lines") from error


def verdict(row_id: Any, evidence: Evidence) -> dict[str, Any]:
    """What `classify` prints of one reply."""
    found = diagnose(evidence)
    profile = profile_of(found.cause)
    return {
        "id": row_id,
        "cause": found.cause.value,
        "disposition": profile.disposition.value,
        "category": profile.category.value,
        "owner": owner_of(found).value,
        "scope": profile.scope.value,
        "rule": found.rule,
        "confidence": found.confidence.value,
        "quote": found.quote,
        "retry_after_seconds": found.retry_after_seconds,
        "sentence": verdict_of(found.cause),
    }


def _judge_line(line: str) -> dict[str, Any]:
    """The verdict on one line; raises RowError when the line cannot be read."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise RowError(f"this is no JSON ({error})") from error
    if not isinstance(row, dict):
        raise RowError('an object is needed, such as {"protocol": "smtp", "response": "535 …"}')
    return verdict(row.get("id"), evidence_of_row(row))


@ends_cleanly
def classify(
    file: Annotated[
        Path | None, typer.Argument(help="JSON lines; stdin when left out or `-`.", show_default=False, readable=False)
    ] = None,
) -> None:
    """Tell the cause of server replies: JSON lines in, JSON lines out.

    In: objects with `protocol`, `stage`, `provider`, `exception`, `code`, `enhanced`, `response`, `http_status`, `id`, all
    optional.
    A line that cannot be read is reported with its number, the others go on, and the exit code is 2.
    """
    bad = 0
    with _lines_of(file) as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip("\ufeff \t\r\n"):
                continue
            try:
                emit_json(_judge_line(line.lstrip("\ufeff")))
            except RowError as error:
                bad += 1
                say(f"mailwatch: line {number}: {error}")
    if bad:
        raise typer.Exit(ExitCode.USAGE)


def _as_cause(text: str) -> Cause | None:
    try:
        return Cause(text.strip().lower().replace("-", "_").replace(" ", "_"))
    except ValueError:
        return None


def _as_state(text: str) -> State | None:
    try:
        return State(text.strip().lower())
    except ValueError:
        return None


def _show_state(state: State, *, as_json: bool) -> None:
    """A state is no cause: what it means, and where its mailboxes and their causes are."""
    told = {
        "state": state.value,
        "meaning": STATES[state],
        "cure": f"mailwatch mailbox list --state {state} names them with causes",
    }
    if as_json:
        emit_json(told)
        return
    out = console()
    out.print(f"[bold]{state}[/bold]  a state of a mailbox, not a cause: {STATES[state]}", markup=True)
    out.print(f"  `mailwatch mailbox list --state {state}` names those in it, each with its cause: explain that.", markup=False)


def _provider_of(provider: str, found: Diagnosis | None) -> str:
    """*provider*, or the one whose wording decided when none is named (`microsoft.user_locked`: Microsoft)."""
    return found.rule.partition(".")[0] if provider == "other" and found is not None else provider


def explanation(cause: Cause, provider: str, found: Diagnosis | None = None) -> dict[str, Any]:
    """All that is known of *cause*, and how it was *found*."""
    profile, texts = profile_of(cause), texts_for(cause)
    told: dict[str, Any] = {
        "cause": cause.value,
        "category": profile.category.value,
        "disposition": profile.disposition.value,
        "heals": _HEALS[profile.disposition.value],
        "owner": (owner_of(found) if found else profile.owner).value,
        "scope": profile.scope.value,
        "operator": verdict_of(cause),
        "customer": texts.customer,
        "remedy": list(remedy_for(cause, _provider_of(provider, found))),
    }
    if found is None:
        told["provider_remedies"] = {name: list(steps) for name, steps in texts.provider_remedies.items()}
    else:
        told |= {
            "rule": found.rule,
            "quote": found.quote,
            "confidence": found.confidence.value,
            "retry_after_seconds": found.retry_after_seconds,
        }
    return told


def _phase_named(name: str | None) -> Phase | None:
    if name is None:
        return None
    phase = PHASE_OF_STAGE.get(name.lower())
    if phase is None:
        raise CliError(f"--phase {name}: one of {', '.join(phase.value for phase in Phase)}")
    return phase


def _show(told: dict[str, Any]) -> None:
    out = console()
    out.print(f"[bold]{told['cause']}[/bold]  {told['category']}, {told['heals']}", markup=True)
    rows = [("who acts", told["owner"].replace("_", " ")), ("reaches", told["scope"].replace("_", " "))]
    if "rule" in told:
        rows += [("rule", told["rule"]), ("decided by", told["quote"] or "-"), ("confidence", told["confidence"])]
        if told["retry_after_seconds"] is not None:
            rows.append(("come back in", f"{told['retry_after_seconds']:g} seconds"))
    rows += [("operator", told["operator"]), ("customer", told["customer"])]
    for name, value in rows:
        out.print(f"  {name + ':':14}{value}", markup=False)
    _show_steps("what to do", told["remedy"])
    for provider, steps in told.get("provider_remedies", {}).items():
        _show_steps(f"at {provider}", steps)


def _show_steps(title: str, steps: list[str]) -> None:
    out = console()
    out.print(f"  {title}:", markup=False)
    for number, step in enumerate(steps, 1):
        out.print(f"    {number}. {step}", markup=False)


@ends_cleanly
def explain(
    what: Annotated[
        str, typer.Argument(metavar='CAUSE|"SERVER TEXT"', help="A cause's name, or words of a server; `-` reads stdin.")
    ],
    protocol: Annotated[
        str | None, typer.Option(help="imap, smtp, oauth or network; guessed when left out.", show_default=False)
    ] = None,
    phase: Annotated[str | None, typer.Option(help="Where it happened, such as auth or submit.", show_default=False)] = None,
    provider: Annotated[str, typer.Option(help="Whose steps to show, such as google or microsoft365.")] = "other",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,  # noqa: FBT002  # a flag is a bool
) -> None:
    """Explain a cause or a state, or tell what a server's words, a token endpoint's JSON or an exception mean."""
    if protocol is not None and protocol not in {"imap", "smtp", "oauth", "network"}:
        raise CliError(f"--protocol {protocol}: one of imap, smtp, oauth, network")
    if provider not in _PROVIDERS and family_of(provider) is None:
        near = get_close_matches(provider.lower(), _PROVIDERS, 1)
        raise CliError(f"--provider {provider}: {f'did you mean {near[0]}?' if near else 'one of ' + ', '.join(_PROVIDERS)}")
    text = sys.stdin.buffer.read(65536).decode("utf-8", "replace") if what == "-" else what
    if (state := _as_state(text)) is not None:
        _show_state(state, as_json=as_json)
        return
    cause = _as_cause(text)
    if cause is not None:
        told = explanation(cause, provider)
    else:
        if not text.strip():
            raise CliError("name a cause, or give a server's words")
        found = diagnose(evidence_of_text(text, protocol=protocol, phase=_phase_named(phase), provider=provider))
        told = explanation(found.cause, provider, found)
    if as_json:
        emit_json(told)
    else:
        _show(told)
