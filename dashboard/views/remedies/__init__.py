"""The page Remedies: what should I change?"""
