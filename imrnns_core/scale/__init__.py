"""Work that is spread over several machines."""
