"""Keys and seals, one-time codes, DIGEST arithmetic and nonces."""
