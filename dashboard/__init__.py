"""IMRNNs Lens: the dashboard over the engine."""
