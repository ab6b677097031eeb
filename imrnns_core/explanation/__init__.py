"""Why a document is ranked where it is."""
