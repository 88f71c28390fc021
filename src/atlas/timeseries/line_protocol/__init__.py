"""Writes by InfluxDB clients: line protocol, and remote writes of Prometheus."""
