"""Training recipes, initialization and the training loop."""
