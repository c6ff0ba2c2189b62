"""The dispatch gate: may this order leave, and why not; and the moment it leaves."""
