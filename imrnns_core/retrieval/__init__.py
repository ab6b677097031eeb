"""Candidate search, rankings, and comparisons of rankings for one query."""
