"""Inspections: what was seen of a parcel, the verdict, the pictures, and who overrode it."""
