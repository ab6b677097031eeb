"""The page Explain: why this document?"""
