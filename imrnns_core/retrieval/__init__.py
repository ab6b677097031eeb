"""Candidates, rankings and comparisons of one query."""
