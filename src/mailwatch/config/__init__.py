"""The configuration: a TOML file and the environment as frozen settings, or every fault at once with its line and its cure."""

from mailwatch.config.faults import ConfigError, Fault, Origin
from mailwatch.config.loading import DEFAULT_PATHS, Loaded, load, locate, read
from mailwatch.config.policy import to_oauth_apps, to_pace, to_paces, to_policy, to_watch_rules
from mailwatch.config.references import SecretReference, SecretReferenceError
from mailwatch.config.settings import Settings

__all__ = [
    "DEFAULT_PATHS",
    "ConfigError",
    "Fault",
    "Loaded",
    "Origin",
    "SecretReference",
    "SecretReferenceError",
    "Settings",
    "load",
    "locate",
    "read",
    "to_oauth_apps",
    "to_pace",
    "to_paces",
    "to_policy",
    "to_watch_rules",
]
