"""Labelled pictures of parcels, rendered with Blender in a Python of its own. A tool: nothing that ships imports it."""
