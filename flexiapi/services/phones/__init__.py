"""Phones: provisioning, devices, messages."""
