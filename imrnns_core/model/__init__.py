"""The adapter: its network, its scores and its files."""
