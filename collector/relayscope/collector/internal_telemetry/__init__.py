"""The collector about itself: log lines and Prometheus metrics."""
