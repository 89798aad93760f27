"""The endpoints, one module per resource: a signature and one call each."""
