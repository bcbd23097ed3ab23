"""mailwatch watches mailboxes, knows why each is disconnected, and brings back all that can be brought back.

Where to find what - arrows point down only, siblings never import each other (CI holds it):

    cli        the verbs of the command line, thin
    daemon     plugs everything together; run, reload, stop in stages
    monitor    scheduler, dispatcher, worker: the life of one probe, from due to recorded
    probe      the network: dial, IMAP, SMTP, OAuth tokens; failures come back as evidence, never as exceptions
    store      the database: standings, transitions, secrets, leases
    telemetry  metrics, logs, systemd
    sim        simulated providers with scripted faults, for the demo, tests and benchmarks
    ports      the seams between the above, as Protocols; config: the TOML file as frozen settings
    core       the pure heart: evidence -> cause -> next state -> next attempt; no I/O, no clock

To understand the program read `ports`, then `monitor.worker`, then `core.decide`.
"""

__version__ = "0.1.0"
