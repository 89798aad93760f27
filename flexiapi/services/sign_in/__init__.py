"""Sign-in: API keys, DIGEST, SIP, passwords."""
