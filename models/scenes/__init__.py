"""Pictures that nobody had to photograph: marks, labels and damage drawn here and composed onto real parcels.

Nothing here needs torch. `blender/` renders whole scenes and is a tool of its own.
"""
