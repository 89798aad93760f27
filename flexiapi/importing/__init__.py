"""File formats for importing accounts."""
