"""Where and how a job runs; nothing that a result depends on, but for the precision."""
