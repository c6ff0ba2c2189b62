"""How the parcel model is made: backbone, network, losses, data, views, train, calibrate, evaluate, export.

Read the files in that order. `python -m models.training --help` runs them. Everything here needs the extra `train`.
"""
