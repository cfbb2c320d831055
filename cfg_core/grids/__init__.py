"""Grids of samples: the request that describes one, how it is drawn, and how it is saved.

Read request.py (GridRequest), labels.py (its classes by their names), drawing.py (a request to pixels), trajectory.py
(the same with every step kept), ladder.py (the strengths drawn ahead), sheet.py (PNG), film.py (WebP, GIF), code.py
(the command, the Python code and the notebook that draw a request again).
May import data, diffusion, guidance, sampling and the top-level helpers.
"""
