"""`python -m mailwatch.web.api > docs/openapi.json`: the document as it is kept in the repository."""

import json
import sys

from mailwatch.web.api import ROUTERS
from mailwatch.web.api.openapi import document

sys.stdout.write(json.dumps(document(ROUTERS), indent=2, ensure_ascii=False) + "\n")
