"""Taught items: what the shop sells, as the eye knows it; taught, corrected, and handed on to the benches."""
