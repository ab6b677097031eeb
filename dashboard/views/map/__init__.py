"""The page Map: where did they go?"""
