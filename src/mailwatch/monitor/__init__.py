"""The application: from due to recorded.  Knows ports and core, nothing else."""
