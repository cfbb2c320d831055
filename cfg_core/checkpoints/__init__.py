"""Trained models: their format on disk, by name, from diffusers and from the Hub.

Read format.py (safetensors, config and card), catalog.py (models by name), classifiers.py and guides.py (classifiers of
clean and of noisy images), diffusers_models.py (models made elsewhere), hub.py (push, pull, deploy).
May import data, networks, diffusion, guidance, grids and the top-level helpers.
"""
