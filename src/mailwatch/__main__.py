"""`python -m mailwatch`."""

from mailwatch.cli import main

main()
