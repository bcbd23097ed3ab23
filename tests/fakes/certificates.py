"""Certificates for fake servers: contexts made by trustme, good and wrong in each known way."""

import datetime as dt
import ssl
import warnings
from pathlib import Path

import trustme

NAMES = ("localhost", "127.0.0.1")
DAY = dt.timedelta(days=1)


class Certificates:
    """A root that clients trust (`ca_file`), and server contexts by fault."""

    def __init__(self, directory: Path) -> None:
        self.root, self.stranger = trustme.CA(), trustme.CA()
        directory.mkdir(exist_ok=True)
        self.ca_file = directory / "ca.pem"
        self.root.cert_pem.write_to_path(self.ca_file)

    def server(self, fault: str = "good") -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        leaf = self._leaf(fault)
        if fault == "incomplete_chain":
            alone = self.ca_file.with_name("alone.pem")
            alone.write_bytes(leaf.private_key_pem.bytes() + leaf.cert_chain_pems[0].bytes())
            context.load_cert_chain(alone)
        else:
            leaf.configure_cert(context)
        if fault == "tls_1_2_only":
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        if fault == "tls_1_1_only":
            with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
                context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
            context.set_ciphers("ALL:@SECLEVEL=0")
        return context

    def _leaf(self, fault: str) -> trustme.LeafCert:
        now = dt.datetime.now(dt.UTC)
        issue, names, options = self.root.issue_cert, NAMES, {}
        match fault:
            case "expired":
                options = {"not_before": now - 9 * DAY, "not_after": now - DAY}
            case "not_yet_valid":
                options = {"not_before": now + DAY, "not_after": now + 9 * DAY}
            case "wrong_host":
                names = ("other.example",)
            case "name_only_in_subject":
                names, options = ("other.example",), {"common_name": "localhost"}
            case "stranger":
                issue = self.stranger.issue_cert
            case "whole_chain" | "incomplete_chain":
                issue = self.root.create_child_ca().issue_cert
        return issue(*names, **options)
