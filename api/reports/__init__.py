"""The daily report: what left, what was stopped and why, what is late, and the one step to mend first."""
