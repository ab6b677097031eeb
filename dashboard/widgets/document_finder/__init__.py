"""A box that finds documents while the reader types."""
