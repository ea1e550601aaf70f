"""The search for better parameters: what may be searched, the study of trials, and how ranks take part in it."""
