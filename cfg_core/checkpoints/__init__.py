"""Models in folders and on the Hub: a model is ``model.safetensors`` + ``config.json`` + a model card, never a pickle.

Read in this order: ``format``, the files, written and read; ``model_card``; ``classifiers``, those of clean images that
serve metrics and meters, and ``guides``, those of noisy images that guide; ``diffusers_schedules``,
``diffusers_denoisers`` and ``diffusers_models``, models in diffusers' format; ``catalog``, models of any kind by name;
``publishing``, which keeps local paths out of what is shared; ``hub``, push and pull; ``spaces``, the page as a Space.

It may import ``evaluation`` (figures for a card), ``grids`` (a sheet of samples), ``diffusion``, ``networks``, ``data``
and the top-level helpers; it knows nothing of ``serving`` and ``ui``.
"""
