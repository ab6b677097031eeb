"""The adapter: its network, its scores, its files."""
