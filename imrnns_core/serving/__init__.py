"""The HTTP service: the modulated ranking of a whole corpus, for other programs."""
