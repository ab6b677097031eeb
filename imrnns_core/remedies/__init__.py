"""Remedies: changes of a search that are tested on its queries, one file for each kind."""
