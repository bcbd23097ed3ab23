"""mailwatch watches mailboxes, knows why each is disconnected, and brings back all that can be brought back.

Where to find what - arrows point down only, siblings never import each other (CI holds it):

    cli        the verbs of the command line, thin
    daemon     plugs everything together; run, reload, stop in stages
    monitor    scheduler, dispatcher, worker: the life of one probe, from due to recorded; incidents and circuits while it runs
    probe      the network: dial, IMAP, SMTP, OAuth tokens and consents; failures come back as evidence, never as exceptions
    store      the database: standings, transitions, secrets, leases, campaigns and their pause ledger, the outbox of events
    web        HTTP: the page, the JSON API with its stream of events, metrics and health
    delivery   what leaves by itself: signed webhooks out of the outbox, alerts pushed to Alertmanager
    telemetry  metrics, logs, systemd
    sim        simulated providers with scripted faults, for the demo, tests and benchmarks
    desk       what people and programs do, the same from page, API and command line: acts on mailboxes, one or many, consents,
               accounts, maintenance windows, and the gate that answers whether a mailbox may send now
    ports      the seams between the above, as Protocols; config: the TOML file as frozen settings
    core       the pure heart: evidence -> cause -> next state -> next attempt; no I/O, no clock

Incidents - many mailboxes, one root - are decided in `core.incidents` (detect, their life, circuits), watched by
`monitor.incident_watch`, kept by `store.incidents`, and told by `delivery.alerts`.  Campaigns are decided in `core.campaigns` and
settled in the very transaction that moves a mailbox (`store.settling`).  Sessions that stay open between probes (IDLE) are kept by
`monitor.idle_watch`.

To understand the program read `ports`, then `monitor.worker`, then `core.decide`.
"""

__version__ = "0.1.0"
