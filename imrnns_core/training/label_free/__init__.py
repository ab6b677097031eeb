"""Initial models that need no judgments."""
