"""Questions on time series: their reading, their typed plan, its SQL and its words."""
