"""What families of models and flows are made of."""
