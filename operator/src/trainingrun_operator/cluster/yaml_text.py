"""How an object is written that the API server reads as YAML, as it does every server-side apply."""

import json
import re

from trainingrun_operator.model import Manifest

_NOT_IN_YAML = re.compile(r"[\x7f-\xa0\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
"""Controls, ends of lines and what is no character, of which JSON would have some as they are."""


def yaml_text(body: Manifest) -> str:
    """JSON that is YAML, too.

    The client's own JSON has \\ud83d\\ude00 for a smile, for which the API server refuses all of it: YAML escapes no halves of
    pairs. To be sent with a charset: without, the client writes what it is given as JSON once more.
    """
    return _NOT_IN_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(body, ensure_ascii=False))
