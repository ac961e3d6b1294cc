"""What the documentation is made of: its pages' blocks, which are executed, and what is generated."""
