"""The page Failures: which queries fail, and why?"""
