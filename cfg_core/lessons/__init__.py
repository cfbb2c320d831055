"""Lessons: text files that lead through the page, a step a section (docs/teaching.md).

Read lesson.py (what a lesson is), parser.py (the file's lines), inline.py (emphasis and links in a line), address.py
(which addresses of the page a step may set), library.py (the files of a folder, a lesson in several languages).
May import grids, toy2d and the top-level helpers.
"""
