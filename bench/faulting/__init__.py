"""Parts of bench/faults.py: the server and its folder, the traffic, the faults, and what must hold after them."""
