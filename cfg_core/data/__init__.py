"""Data: labelled images in memory, from files, data sets on the Hub or code.

Read datasets.py (data sets by name) first, then their sources: folders.py, parquet.py, hub_datasets.py; image_files.py
decodes image files to one array, pixels.py converts and augments, class_sheet.py saves a few pictures of each class.
May import only the top-level helpers.
"""
