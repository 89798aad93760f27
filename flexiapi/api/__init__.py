"""The JSON endpoints, one module per resource. An endpoint is a signature and one call of a service."""
