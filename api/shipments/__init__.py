"""Parcels under way: couriers polled, events kept, lateness flagged."""
