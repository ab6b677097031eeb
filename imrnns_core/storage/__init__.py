"""Files of a workspace on disk."""
