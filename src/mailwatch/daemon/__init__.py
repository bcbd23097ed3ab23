"""The composition root: `assembly` builds the parts from the settings, `running` runs, reloads and stops them in stages."""

from mailwatch.daemon.assembly import assemble
from mailwatch.daemon.parts import Parts, Role, SystemClock
from mailwatch.daemon.running import Daemon

__all__ = ["Daemon", "Parts", "Role", "SystemClock", "assemble"]
