"""The page Map: where did the documents go?"""
