"""Vector stores that documents, vectors and texts are read from: one file per store."""
