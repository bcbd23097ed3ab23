"""The pure heart: no I/O, no clock, no randomness of its own, no logging.  `now` and `rng` are arguments."""
