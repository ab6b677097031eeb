"""What is loaded once and shared by all sessions, and the work in the background."""
