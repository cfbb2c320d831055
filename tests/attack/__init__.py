"""What one visitor can do to the others: attacks on a running app, and what they cost an innocent visitor.

``python -m tests.attack`` starts the app on this machine and attacks it; it calls no other machine. Read attacks.py
(the attacks, each a small function), client.py (what they are made of), visitors.py (whom they should not disturb),
measure.py (what is measured, and the goals).
"""
