"""Data sets: adding them, the list of them, uploads, and what is counted over all documents."""
