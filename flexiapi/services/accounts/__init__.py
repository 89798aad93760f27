"""Accounts: creation, administration, removal, types, actions, upkeep."""
