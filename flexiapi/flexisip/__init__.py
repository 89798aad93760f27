"""The SIP server's side: who is registered, and messages into it. One module per transport."""
