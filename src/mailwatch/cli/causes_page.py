"""The page docs/causes.md, made from the tables: `python -m mailwatch.cli.causes_page > docs/causes.md`."""

import sys

from mailwatch.core.cause_texts import texts_for
from mailwatch.core.causes import PLATFORM_CAUSES, Cause, profile_of

_HEAD = """# Causes of a disconnection

Every disconnection has one of these causes; they are spelled the same in the database, the API, metrics, logs and
configuration. This page is made from the tables in `src/mailwatch/core` by
`python -m mailwatch.cli.causes_page > docs/causes.md`; a test fails when it is stale. `mailwatch explain CAUSE` shows one of
them, `mailwatch explain "SERVER TEXT"` finds the cause of a reply. How a cause is found: [classification](classification.md).

Dispositions: *transient* is retried with growing pauses; *throttled* only after a long quiet time, or the time the server
names; *refresh* renews the access token and tries again at once; *human* stops automatic logins until a person has acted;
*planned* is no disconnection.

| cause | category | disposition | who acts | reaches |
|---|---|---|---|---|
"""


def _row(cause: Cause) -> str:
    profile = profile_of(cause)
    cells = (f"[{cause}](#{cause})", profile.category, profile.disposition, profile.owner, profile.scope)
    return "| " + " | ".join(str(cell).replace("_", " ") if number else str(cell) for number, cell in enumerate(cells)) + " |\n"


def _steps(steps: tuple[str, ...]) -> str:
    return "".join(f"{number}. {step}\n" for number, step in enumerate(steps, 1))


def _section(cause: Cause) -> str:
    texts = texts_for(cause)
    parts = [f"\n### {cause}\n\n{texts.operator}\n\n> {texts.customer}\n\n{_steps(texts.remedy)}"]
    for provider, steps in texts.provider_remedies.items():
        parts.append(f"\nAt {provider}:\n\n{_steps(steps)}")
    return "".join(parts)


def render() -> str:
    """The whole page, in Markdown."""
    wire = [cause for cause in Cause if cause not in PLATFORM_CAUSES]
    platform = [cause for cause in Cause if cause in PLATFORM_CAUSES]
    rows = "".join(map(_row, (*wire, *platform)))
    told = "".join(map(_section, wire))
    ours = "".join(map(_section, platform))
    return f"{_HEAD}{rows}\n## Found in what servers say\n{told}\n## Decided by mailwatch itself\n{ours}"


if __name__ == "__main__":
    sys.stdout.write(render())
