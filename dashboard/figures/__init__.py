"""Figures: arrays and frames in, `go.Figure` out. Nothing here imports streamlit."""
