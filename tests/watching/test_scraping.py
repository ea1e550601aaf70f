"""The scrape configuration that the documentation shows is one of Prometheus, and keeps the labels of metrics."""

import re
from pathlib import Path

import yaml

from tests.watching import promtool

PAGE = Path(__file__).parent.parent.parent / "docs" / "how-to" / "watch.md"
_BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.DOTALL | re.MULTILINE)


def test_prometheus_takes_it(program: Path, tmp_path: Path) -> None:
    (shown,) = [block for block in _BLOCK.findall(PAGE.read_text()) if "scrape_configs" in block]
    path = tmp_path / "prometheus.yml"
    path.write_text(shown)
    assert "is valid prometheus config file syntax" in promtool.check_config(program, path)
    (job,) = yaml.safe_load(shown)["scrape_configs"]
    assert job["honor_labels"]
