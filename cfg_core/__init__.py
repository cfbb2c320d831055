"""Classifier-free diffusion guidance (Ho & Salimans, arXiv 2207.12598), exact and readable."""

import os

# Before torch loads: threads that wait sleep instead of spinning, which on shared cores takes time from the others.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
