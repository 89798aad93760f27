"""Contacts and contacts lists."""
