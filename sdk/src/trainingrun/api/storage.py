"""Folders beyond the cluster's volumes: an object store or a web server, and what it takes to get there.

`data.source` and `output` have the same fields, and each its own credentials: what may be read is not what may be written.
"""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from trainingrun.api.base import Frozen, ObjectName, Rule, rule, rules
from trainingrun.api.environment import KeyReference
from trainingrun.contract_version import Since

_SEGMENT = "[A-Za-z0-9_=+@~%-][A-Za-z0-9._=+@~%-]*"
_HOST = r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?"

URI_PATTERN = f"^[a-z0-9]+://[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?(:[0-9]{{1,5}})?(/{_SEGMENT})*/?$"
ENDPOINT_PATTERN = f"^https?://{_HOST}/?$"


class Addressing(StrEnum):
    """Where the name of a bucket stands in the URLs of an S3-compatible server."""

    PATH = "Path"
    VIRTUAL_HOSTED = "VirtualHosted"


class CertificateAuthority(Frozen):
    """A bundle of CA certificates in PEM form, trusted instead of those of the trainer image; exactly one place of it."""

    config_map_key_ref: Annotated[KeyReference | None, Field(description="The bundle is in this key of a ConfigMap.")] = None
    secret_key_ref: Annotated[KeyReference | None, Field(description="The bundle is in this key of a Secret.")] = None

    model_config = rules(
        rule(
            "has(self.configMapKeyRef) != has(self.secretKeyRef)",
            "certificateAuthority needs exactly one of configMapKeyRef and secretKeyRef: keep one and remove the other.",
        )
    )


class Location(Frozen):
    """A folder at an object store or a web server. The trainer alone reads what is in its Secret and ConfigMap."""

    uri: Annotated[
        str | None,
        Field(
            pattern=URI_PATTERN,
            max_length=512,
            description="A folder, for example s3://bucket/prefix or gs://bucket/prefix; data may also be at https://host/path.",
        ),
    ] = None
    secret_name: Annotated[
        ObjectName | None,
        Field(
            description="Secret with the credentials, for example bucket-access. For s3://: AWS_ACCESS_KEY_ID, "
            "AWS_SECRET_ACCESS_KEY, and if needed "
            "AWS_SESSION_TOKEN and AWS_REGION. For gs://: key.json, the key of a service account. Default: what the pod's "
            "surroundings offer (workload identity), else none."
        ),
    ] = None
    endpoint: Annotated[
        str | None,
        Field(
            pattern=ENDPOINT_PATTERN,
            max_length=255,
            description="URL of a server that speaks the protocol of s3:// or gs://, for example https://minio.storage:9000. "
            "Default: that of the cloud. With http:// the samples travel unencrypted.",
        ),
    ] = None
    addressing: Annotated[
        Addressing | None,
        Since(2),
        Field(
            description="Where the bucket's name stands in URLs of s3://. Path: behind the server's, for example "
            "https://minio.storage:9000/bucket. VirtualHosted: before it, for example https://bucket.minio.storage:9000, which "
            "some servers insist on. Default: Path with an endpoint, else what Amazon recommends."
        ),
    ] = None
    certificate_authority: Annotated[
        CertificateAuthority | None,
        Field(description="Who has signed the certificate of a private s3:// endpoint or https:// server."),
    ] = None


def location_rules(where: str, *, schemes: tuple[str, ...], places: tuple[str, ...]) -> tuple[Rule, ...]:
    """Rules of a location at the field `where`: its uri may have these schemes, and exactly one of `places` is given."""
    allowed = " or ".join(f"{scheme}://" for scheme in schemes)
    given = ", ".join(f"has(self.{place})" for place in places)
    return (
        rule(
            f"[{given}].filter(x, x).size() == 1",
            f"{where} needs exactly one of {', '.join(places[:-1])} and {places[-1]}: keep one and remove the others.",
        ),
        rule(
            f"!has(self.uri) || self.uri.matches('^({'|'.join(schemes)})://')",
            f"'{where}.uri ' + self.uri + ' must begin with {allowed}.'",
            field_path=".uri",
            computed=True,
        ),
        rule(
            "has(self.uri) || !(has(self.secretName) || has(self.endpoint) || has(self.certificateAuthority))",
            f"{where}.secretName, endpoint and certificateAuthority are only read with {where}.uri: set uri or remove them.",
        ),
        rule(
            "!has(self.uri) || !self.uri.startsWith('https://') || !(has(self.secretName) || has(self.endpoint))",
            f"'{where}.secretName and endpoint are for s3:// and gs://, but {where}.uri is ' + self.uri + ': remove them.'",
            computed=True,
        ),
        rule(
            "!has(self.addressing) || (has(self.uri) && self.uri.startsWith('s3://'))",
            f"{where}.addressing is only read with {where}.uri that begins with s3://: remove it, or correct the uri.",
            field_path=".addressing",
        ),
        rule(
            "!has(self.certificateAuthority) || !has(self.uri) || !self.uri.startsWith('gs://')",
            f"'{where}.certificateAuthority is for s3:// and https://, but {where}.uri is ' + self.uri + ': remove it.'",
            computed=True,
        ),
    )
