"""HTTP: declarations of endpoints, the pipeline that a request takes, parameters, answers. Knows no accounts."""
