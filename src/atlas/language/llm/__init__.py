"""The model provider's half of the language layer: the same plans and instructions as the offline engine's."""
