"""Classifier-free diffusion guidance (Ho & Salimans, arXiv 2207.12598), exact and readable.

Read diffusion, guidance and sampling for the paper, with networks and training for its models; grids, checkpoints and
evaluation for images, models and measurements; serving and ui for the page. Imports point one way, and
tests/test_architecture.py has the table. The modules beside these packages are small helpers of all of them.
"""
