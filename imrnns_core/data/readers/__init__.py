"""Readers, a file per format."""
