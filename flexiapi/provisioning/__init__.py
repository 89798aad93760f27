"""Remote provisioning documents of liblinphone (lpconfig), and QR codes that lead to them.

Plugins import `flexiapi.provisioning.hooks` only.
"""
