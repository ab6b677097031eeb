"""Random, damaged and hostile inputs for every reader."""
