"""The language layer by a model provider, with the same plans and instructions as the offline engine."""
