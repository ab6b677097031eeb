"""Maps of a move, and how far to trust them."""
