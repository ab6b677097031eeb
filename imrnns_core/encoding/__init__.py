"""Frozen encoders, and encoding that resumes."""
