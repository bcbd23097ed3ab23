"""What the configuration points to: files and secrets that must be there and be usable, each fault with its key and its line."""

import ssl
from collections.abc import Mapping
from typing import Final

from mailwatch.config.faults import ConfigError, Exit, Fault, KeyPath, Origin, spell
from mailwatch.config.listing import origin_of, values
from mailwatch.config.loading import Loaded
from mailwatch.config.references import SecretReference, SecretReferenceError
from mailwatch.config.settings import Settings

_KEYRING: Final[KeyPath] = ("secrets", "keyring")
#: Another ring would open nothing that the old one sealed: only a new installation may have a new one.
KEYRING_CURE: Final = "restore it from its copy; for a new installation: `mailwatch key generate --out FILE`"


def check_files(loaded: Loaded) -> None:
    """Blocks while reading; raises ConfigError with every file that cannot be used."""
    path: KeyPath = ("network", "ca_file")
    ca_file = loaded.settings.network.ca_file
    if ca_file is None:
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    problem, cure, code = "holds no certificate of an authority", "point it to a PEM bundle, or remove the key", Exit.CONFIGURATION
    try:
        context.load_verify_locations(cafile=ca_file)
        if context.cert_store_stats()["x509_ca"]:
            return
    except PermissionError:
        problem, cure, code = "permission denied", "let the user mailwatch runs as read it", Exit.PERMISSION
    except ssl.SSLError:
        pass
    except OSError as error:
        problem = (error.strerror or "cannot be read").lower()
    raise ConfigError([Fault(_place(path, loaded), path, f"network.ca_file {ca_file}: {problem}", cure)], code)


def secret_faults(loaded: Loaded, environ: Mapping[str, str] | None = None) -> ConfigError | None:
    """Every secret that cannot be read; the code is of permissions where that is all.  Blocks while reading."""
    faults, codes = list[Fault](), set[Exit]()
    for path, value in values(loaded.settings):
        if isinstance(value, SecretReference):
            try:
                value.read(environ)
            except SecretReferenceError as error:
                faults.append(_fault(error, path, loaded))
                codes.add(error.exit_code)
    return ConfigError(faults, codes.pop() if len(codes) == 1 else Exit.CONFIGURATION) if faults else None


def placed(error: SecretReferenceError, loaded: Loaded) -> ConfigError:
    """The *error* with the key and the line of the secret that could not be read."""
    referring = (
        path for path, value in values(loaded.settings) if isinstance(value, SecretReference) and str(value) == error.reference
    )
    path = next(referring, None)
    fault = Fault(Origin("the configuration"), (), error.problem, error.cure) if path is None else _fault(error, path, loaded)
    return ConfigError([fault], error.exit_code)


def unusable_ring(problem: str, loaded: Loaded) -> ConfigError:
    """The key ring was read, and is none."""
    named = f"secrets.keyring: {loaded.settings.secrets.keyring}: {problem}"
    return ConfigError([Fault(_place(_KEYRING, loaded), _KEYRING, named, "")])


def keyring_words(error: SecretReferenceError, settings: Settings) -> str:
    """Problem and cure in one line, where the key ring is what could not be read."""
    return str(_fault(error, _KEYRING, Loaded(settings))).partition(": ")[2]


def _fault(error: SecretReferenceError, path: KeyPath, loaded: Loaded) -> Fault:
    cure = KEYRING_CURE if path == _KEYRING and error.is_absent else error.cure
    return Fault(_place(path, loaded), path, f"{spell(path)}: {error.problem}", cure)


def _place(path: KeyPath, loaded: Loaded) -> Origin:
    return origin_of(path, loaded.origins) or Origin("defaults")
