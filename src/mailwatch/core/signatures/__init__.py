"""What servers, token endpoints and network stacks say, as data: each table names its source.

`microsoft`, `google`, `webmail`, `clients`, `programs`, `stacks`, `stacks_world` hold wordings; `mail_codes`, `oauth_codes`,
`network_codes` hold codes; `lexicon` and `lexicon_*` hold words by language, `meanings` and its parts what combinations of
them mean.
`classify` reads them in a fixed order (docs/classification.md). A new wording is one row in a table here and one row in
`tests/corpus/more.jsonl`.
"""

from typing import Final

from mailwatch.core.signatures.clients import CLIENTS, CLIENTS_WORLD
from mailwatch.core.signatures.google import GOOGLE
from mailwatch.core.signatures.microsoft import MICROSOFT
from mailwatch.core.signatures.programs import DOVECOT, POSTFIX, PROGRAMS
from mailwatch.core.signatures.rule import Rule
from mailwatch.core.signatures.stacks import STACKS
from mailwatch.core.signatures.stacks_world import STACKS_WORLD
from mailwatch.core.signatures.webmail import ASIA, EUROPE, YAHOO

#: Wordings, in the order in which they are tried.
PHRASES: Final[tuple[Rule, ...]] = (
    *MICROSOFT,
    *GOOGLE,
    *YAHOO,
    *ASIA,
    *EUROPE,
    *CLIENTS,
    *DOVECOT,
    *POSTFIX,
    *PROGRAMS,
    *STACKS_WORLD,
    *STACKS,
    *CLIENTS_WORLD,
)
