"""Files that are whole, and say what they are."""
