"""The offline engine: deterministic, without a model or network."""
