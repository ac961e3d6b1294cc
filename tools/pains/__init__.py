"""The pains suite: what users of other tools suffer from, T01 to T54, and which test shows each on which backend."""
