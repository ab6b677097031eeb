"""The page Remedies."""
