"""Atlas: time series and clean tables on PostgreSQL, behind one server and one API key."""

__version__ = "0.1.0"
