"""What surrounds every page: sidebar, tour, loading screen, keys."""
