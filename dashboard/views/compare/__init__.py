"""The page Compare: what moved?"""
