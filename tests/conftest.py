from tests.patience import MARGIN, stretch


def pytest_configure() -> None:
    """Measure this machine before processes are started that inherit the result."""
    stretch()


def pytest_report_header() -> str:
    """What the machine was measured to be, and what follows from it."""
    return f"patience: this machine takes {stretch():.2f} times a quiet one's time; deadlines are stretched by {MARGIN * stretch():.1f}"
