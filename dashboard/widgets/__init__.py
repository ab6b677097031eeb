"""Parts of pages; most are used by more than one page."""
