"""Values that are `Auto` in the spec: found by measuring, before anything is trained."""
