"""The page Judging: which documents are relevant?"""
