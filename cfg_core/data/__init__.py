"""Data sets of labelled images: found by name, checked, and brought to one shape.

Read datasets.py (by name, from the Hub or a folder), image_files.py (images of any kind), pixels.py (bytes to [−1, 1]).
May import only the top-level helpers.
"""
