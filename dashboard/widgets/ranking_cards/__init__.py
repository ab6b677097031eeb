"""Rankings side by side as columns of cards."""
