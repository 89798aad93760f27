"""HTTP/1.0 and 1.1 on asyncio: llhttp reads the requests, and Tornado's interfaces hand them on."""
