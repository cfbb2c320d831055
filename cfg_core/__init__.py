"""Classifier-free diffusion guidance (Ho & Salimans, arXiv 2207.12598), exact and readable."""
