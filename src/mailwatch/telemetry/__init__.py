"""How the daemon is seen from outside: metrics for Prometheus, logs for people and machines, signs of life for systemd."""
