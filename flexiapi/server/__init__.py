"""The running server: assembly, processes, HTTP server."""
