"""How long a real browser is waited for: a busy machine is no failure."""

from typing import Final

#: For what the page shows, and for what is done in it, at the most.
WAIT_MILLISECONDS: Final = 90_000
#: A toast stays for 9 s, which a busy machine may take to look; with this script in its pages it stays longer.
PATIENT_TOASTS: Final = """
const later = window.setTimeout;
window.setTimeout = (work, wait, ...rest) => later(work, wait === 9000 ? 30000 : wait, ...rest);
"""
