"""The bundled pipelines: v1 YAML files with their scripts, and small real data. See `endpoints.seed`."""
