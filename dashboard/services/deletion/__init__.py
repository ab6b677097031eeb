"""Deletion tests over a data set, and the job that runs them."""
