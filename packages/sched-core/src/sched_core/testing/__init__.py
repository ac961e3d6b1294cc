"""For the tests of schedulers: the contract that each must keep, and a simulated engine."""
