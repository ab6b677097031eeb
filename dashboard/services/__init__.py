"""Results that all sessions share, and work in the background."""
