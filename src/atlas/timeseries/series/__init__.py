"""Series: the rows of a dataset that share their key, as of one symbol or one station."""
