"""Data sets, their records and vectors."""
