"""What runs take up on a disk or in a bucket: seeing it, packing it, removing it."""
