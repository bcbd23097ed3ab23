"""What watching costs: CPU of the whole daemon a probe, against the plain calls of the libraries, in one run.

    python benchmarks/whole.py [--mailboxes 400] [--seconds 20]

Starts real Dovecot and Postfix (root and Debian's packages needed), logs in over IMAP and SMTP with plain aioimaplib and
aiosmtplib in a loop, then lets a whole daemon - claim, probe, decide, store, metrics - do the same, and prints both as CPU
milliseconds a mailbox and their ratio.  Only the client's process counts.  Quote the ratio: machines are noisy.
"""

import argparse
import asyncio
import json
import resource
import ssl
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import aioimaplib
import aiosmtplib
import uvloop

from integration.node import Node
from servers.dovecot import Dovecot
from servers.dovecot_config import DovecotOptions
from servers.postfix import Postfix

CONCURRENCY = 30


def cpu_seconds():
    """CPU of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def plain_loop(ca_file, imaps, submissions, users, count):
    """CPU seconds a mailbox of the libraries alone: their own classes, one shared context, their own LOGIN and SELECT."""
    context = ssl.create_default_context(cafile=str(ca_file))

    async def one(user):
        imap = aioimaplib.IMAP4("localhost", imaps, timeout=30, ssl_context=context)
        try:
            await imap.wait_hello_from_server()
            assert (await imap.login(user, f"pw-{user}")).result == "OK"
            assert (await imap.select()).result == "OK"
            await imap.logout()
        finally:
            imap.protocol.transport.abort()
        smtp = aiosmtplib.SMTP(hostname="localhost", port=submissions, use_tls=True, tls_context=context, local_hostname="bench")
        await smtp.connect()
        try:
            await smtp.auth_plain(user, f"pw-{user}")
            await smtp.quit()
        finally:
            smtp.close()

    async def main():
        todo = iter(range(count))

        async def work():
            for number in todo:
                await one(users[number % len(users)])

        await asyncio.gather(*(one(user) for user in users[:CONCURRENCY]))  # warm
        began = cpu_seconds()
        await asyncio.gather(*(work() for _ in range(CONCURRENCY)))
        return (cpu_seconds() - began) / count

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main())


def daemon_cpu(pid):
    """CPU seconds of another process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def whole_daemon(root, dovecot, postfix, users, seconds):
    """CPU seconds a probed mailbox of a daemon under load, and probes a second."""
    with Node(root, dovecot.ca_file, interval=1, max_in_flight=CONCURRENCY) as node:
        node.add_users(users, f"imaps://localhost:{dovecot.imaps_port}", f"smtps://localhost:{postfix.submissions_port}")
        node.start()
        node.wait(lambda: node.states() == {"connected": len(users)}, "all to be connected", 120)
        probes, cpu, began = node.metric("mailwatch_probes_total", protocol="imap"), daemon_cpu(node.process.pid), time.monotonic()
        time.sleep(seconds)
        probes = node.metric("mailwatch_probes_total", protocol="imap") - probes
        cpu, took = daemon_cpu(node.process.pid) - cpu, time.monotonic() - began
        assert node.states() == {"connected": len(users)}
        return cpu / probes, probes / took


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mailboxes", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    users = [f"u{number:05d}" for number in range(1, chosen.mailboxes + 1)]
    rounds = []
    with tempfile.TemporaryDirectory(prefix="mailwatch-bench-") as directory:
        root = Path(directory)
        root.chmod(0o755)
        (root / "dovecot").mkdir()
        (root / "postfix").mkdir()
        with (
            Dovecot(root / "dovecot", DovecotOptions(users=chosen.mailboxes), with_relay=False) as dovecot,
            Postfix(root / "postfix", dovecot) as postfix,
        ):
            for number in range(chosen.rounds):
                plain = plain_loop(dovecot.ca_file, dovecot.imaps_port, postfix.submissions_port, users, 2 * len(users))
                node_root = root / f"node{number}"
                node_root.mkdir()
                whole, rate = whole_daemon(node_root, dovecot, postfix, users, chosen.seconds)
                rounds.append({"plain_ms": plain * 1e3, "whole_ms": whole * 1e3, "ratio": whole / plain, "per_second": rate})
                print(json.dumps({key: round(value, 3) for key, value in rounds[-1].items()}), flush=True)
    best = min(rounds, key=lambda one: one["ratio"])
    whole = sorted(one["whole_ms"] for one in rounds)[len(rounds) // 2]
    ratio = sorted(one["ratio"] for one in rounds)[len(rounds) // 2]
    print(f"plain library calls: {best['plain_ms']:.2f} ms CPU a mailbox (IMAP + SMTP login)")
    print(f"whole daemon:        {whole:.2f} ms CPU a mailbox, median ratio {ratio:.2f}")
    print(f"one core watches     {300 / whole * 1e3:,.0f} mailboxes at the default interval of 300 s")


if __name__ == "__main__":
    main()
