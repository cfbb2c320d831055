"""Data: labelled images in memory, whatever they come from.

Read datasets.py (by name) first, then where they come from: folders.py, parquet.py, hub_datasets.py; image_files.py
makes any files one array, pixels.py converts and augments. May import only the top-level helpers.
"""
