"""The one exception that people see."""


class ImageError(Exception):
    """Something that a person can mend; the text says what, where and how."""
