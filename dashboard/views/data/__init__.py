"""The page Data: what was read, and how to add a data set."""
