"""Other people's tools: one module each, none of which the rest of the package imports unasked."""
