"""A table whose rows open with a click or the Enter key."""
