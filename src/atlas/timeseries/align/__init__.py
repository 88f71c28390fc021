"""Aligned reads: rows of several datasets at the times of one, or of a grid."""
