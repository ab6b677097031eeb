"""The page Adapters: train, compare, import, export and delete adapters."""
