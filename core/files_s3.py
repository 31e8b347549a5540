"""Private files in a bucket of S3, or of anything that speaks like it. Imported when the first file is touched."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import batched
from typing import Any

from django.core.files.base import ContentFile
from storages.backends.s3 import ClientError, S3Storage

from core.files import DirectUpload, Served

ABSENT = ("404", "NoSuchKey")
MOST_AT_ONCE = 1000


class S3Files(S3Storage):  # type: ignore[misc]  # the library has no types
    """`object_parameters` say how objects are encrypted; there are no ACLs."""

    def receive(self, key: str, chunks: Iterable[bytes]) -> None:
        if self.exists(key):
            raise FileExistsError(key)
        self.save(key, ContentFile(b"".join(chunks)))

    def direct_upload(self, key: str, *, size: int, content_type: str, seconds: int) -> DirectUpload | None:
        encryption = {_header(name): value for name, value in self.object_parameters.items() if _header(name)}
        fields = {"Content-Type": content_type, **encryption}
        conditions = [*({name: value} for name, value in fields.items()), ["content-length-range", size, size]]
        post = self._client.generate_presigned_post(
            self.bucket_name, self._named(key), Fields=fields, Conditions=conditions, ExpiresIn=seconds,
        )
        return DirectUpload(post["url"], "POST", fields=post["fields"])

    def direct_url(self, key: str, *, served: Served, seconds: int, stored_version: str = "") -> str | None:
        parameters = {"ResponseContentDisposition": served.disposition, "ResponseContentType": served.content_type}
        version = {"VersionId": stored_version} if stored_version else {}
        return str(self.url(key, {**parameters, **version}, expire=seconds))

    def take_over(self, staged: str, key: str) -> None:
        source = {"Bucket": self.bucket_name, "Key": self._named(staged)}
        try:
            self._client.copy_object(
                Bucket=self.bucket_name, Key=self._named(key), CopySource=source, **self.object_parameters,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in ABSENT:
                raise FileNotFoundError(staged) from error
            raise

    def discard_staged(self, key: str) -> None:
        self.delete(key)

    def stored_version(self, key: str) -> str:
        version = self._client.head_object(Bucket=self.bucket_name, Key=self._named(key)).get("VersionId", "")
        return "" if version in (None, "null") else str(version)

    def delete_below(self, prefix: str, *, older_than_seconds: int = 0, dry_run: bool = False) -> int:
        """With the versions that the bucket keeps of what was deleted."""
        before = datetime.now(UTC) - timedelta(seconds=older_than_seconds)
        found = self.bucket.object_versions.filter(Prefix=f"{self._named(prefix)}/")
        old = [(one.object_key, one.id) for one in found if one.last_modified <= before]
        for batch in batched(() if dry_run else old, MOST_AT_ONCE, strict=False):
            objects = [{"Key": key, "VersionId": version} for key, version in batch]
            self._client.delete_objects(Bucket=self.bucket_name, Delete={"Objects": objects, "Quiet": True})
        return len({key for key, _ in old})

    @property
    def _client(self) -> Any:
        return self.connection.meta.client

    def _named(self, key: str) -> str:
        return str(self._normalize_name(key))


def _header(parameter: str) -> str:
    """The form field of a parameter of PutObject."""
    return {
        "ServerSideEncryption": "x-amz-server-side-encryption",
        "SSEKMSKeyId": "x-amz-server-side-encryption-aws-kms-key-id",
    }.get(parameter, "")
