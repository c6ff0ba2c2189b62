"""The eye: one frame and a packing spec in, a verdict out. No network, no database, no clock of its own."""
