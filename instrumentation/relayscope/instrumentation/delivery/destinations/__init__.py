"""OTLP receivers, over gRPC and HTTP."""
