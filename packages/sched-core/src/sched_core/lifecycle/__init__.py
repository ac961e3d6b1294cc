"""What happens to jobs between the queue and their final state."""
