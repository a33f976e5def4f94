"""What models and flows learn from: simulated, drawn, stored."""
