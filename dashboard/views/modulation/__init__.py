"""The page Modulation: how do the query and the documents act on each other?"""
