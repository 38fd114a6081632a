"""The doors: OTLP over gRPC and over HTTP."""
