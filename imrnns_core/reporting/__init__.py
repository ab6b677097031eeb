"""Results as tables for the terminal and as HTML."""
