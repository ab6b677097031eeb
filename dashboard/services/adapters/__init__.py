"""Trainings, files and comparisons of adapters."""
