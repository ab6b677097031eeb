"""Measures, comparisons of systems, and causes of failure, over many queries."""
