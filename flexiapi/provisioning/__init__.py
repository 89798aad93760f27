"""What phones are configured with: liblinphone's remote provisioning (lpconfig), and QR codes that lead to it.

Plugins import `flexiapi.provisioning.hooks` and nothing else of it.
"""
