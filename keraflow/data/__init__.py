"""From what a user gives to checked arrays, and from these to batches."""
