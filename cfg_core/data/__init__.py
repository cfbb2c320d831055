"""Data: labelled images in memory, whatever they come from.

Read ``datasets`` (by name) first, then where they come from: ``folders``, ``parquet``, ``hub_datasets``;
``image_files`` makes any files one array, ``pixels`` converts and augments. Imports nothing of the project but the
top-level helpers.
"""
