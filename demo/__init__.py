"""Parcels through every room on one laptop: a real server, real pictures of our own rendering, a simulated courier."""
