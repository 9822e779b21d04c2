"""Which records are one customer's: by equal identifiers alone, and so that every join can be undone."""
