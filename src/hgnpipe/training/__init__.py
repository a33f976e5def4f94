"""One training for all models and flows."""
