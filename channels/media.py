"""Kinds of files."""

from channels.base import MediaKind


def media_kind(content_type: str | None) -> MediaKind:
    """How to show a file of this MIME type; what is not picture or sound is a document."""
    family = (content_type or "").partition("/")[0].lower()
    families: dict[str, MediaKind] = {"image": "image", "video": "video", "audio": "audio"}
    return families.get(family, "document")
