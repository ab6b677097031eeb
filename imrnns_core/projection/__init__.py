"""Maps of documents and their movement, and the reliability of these maps."""
