"""Orders: what each parcel must hold and show, what was promised, and to whom."""
