"""Interfaces to the SIP server: registrar, sign-in and messages, one module per protocol."""
