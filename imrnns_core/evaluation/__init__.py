"""Measures, comparisons and causes over many queries."""
