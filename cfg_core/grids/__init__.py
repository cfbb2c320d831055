"""Grids of samples: their one description, and how it is drawn and saved.

Read ``request`` (GridRequest), ``drawing`` (from a request to pixels), ``ladder`` (the strengths w at which a grid is
drawn ahead of time), ``sheet`` (a labelled PNG that carries its request). May import ``sampling`` and what that may,
``data``, and the helpers at the top.
"""
