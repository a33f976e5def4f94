"""What ``config.yaml`` says: its types, its checks, and what the rules ask of it."""
