"""What stands around every page: sidebar, tour, loading screen, keys."""
