"""The page Overview: does this adapter help?"""
