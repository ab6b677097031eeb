"""Parts of pages: `show(..., key=…)`; they own their widget keys."""
