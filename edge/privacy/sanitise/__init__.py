"""The sanitiser: takes payment and identity data out of text and structures before they are stored or logged."""
