"""Turn what a user passes into checked arrays, and these into batches."""
