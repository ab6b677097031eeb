"""One Plotly chart for the life of a page."""
