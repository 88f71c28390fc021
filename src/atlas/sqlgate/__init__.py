"""SQL of callers: parsed, checked, resolved, written anew, and run where nothing else can be reached."""
