"""The live screen: what is shown is made of records, apart from how it is shown."""
