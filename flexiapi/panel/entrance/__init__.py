"""Pages that need no session: sign-up, recovery, sign-in by QR code, help."""
