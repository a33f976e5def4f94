"""What trained models and flows are worth."""
