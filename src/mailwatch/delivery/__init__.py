"""Takes events out of the outbox to where they are wanted: signed webhooks, off the path of probes."""
