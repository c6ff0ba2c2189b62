"""Whom to tell before they complain: one open contact for each late parcel and promise."""
