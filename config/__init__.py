"""Settings and logging. Knows nothing else of ours; start at `config.settings`."""
