"""Why a document has its rank: accounting, words, and the deletion test of explanations."""
