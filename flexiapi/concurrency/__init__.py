"""Coalesced operations, and tasks beside a block."""
