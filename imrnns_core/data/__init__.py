"""Data sets, their documents and queries, and their embeddings."""
