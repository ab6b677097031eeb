"""Frozen encoders, and encoding that can be resumed."""
