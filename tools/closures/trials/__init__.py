"""What each install is used for where it is alone: each module runs in such an environment."""
