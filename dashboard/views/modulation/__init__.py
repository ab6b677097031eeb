"""The page Modulation: how do query and documents act on each other?"""
