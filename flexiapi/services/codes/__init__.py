"""One-time codes and tokens: activation, recovery, address changes, creation tokens, notices."""
