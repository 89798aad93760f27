"""How HTTP works here; knows no account."""
