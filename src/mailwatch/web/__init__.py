"""HTTP: metrics, health, readiness, reload and status, on the daemon's own event loop."""
