"""An organization that attacks a server while another works with it; `hostile.py` runs it."""
