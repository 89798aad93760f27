"""File formats that bring accounts."""
