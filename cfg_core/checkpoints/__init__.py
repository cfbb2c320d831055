"""Trained models as files: ``model.safetensors`` + ``config.json`` + a model card, never a pickle.

Read format.py (the files, written and read), model_folder.py (which files are read), weights.py (compared with their
network before they are), model_card.py, classifiers.py (of clean images, for metrics and meters), guides.py (of noisy
images, to guide), weaker_siblings.py (models to guide away from); diffusers_schedules.py, diffusers_denoisers.py,
diffusers_weights.py and diffusers_models.py (models of diffusers), catalog.py (models of any kind by name),
public_names.py (keeps local paths out of what is shared).
May import data, networks, diffusion, guidance, grids and the top-level helpers.
"""
