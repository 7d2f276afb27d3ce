"""Small files made on the spot, so that nothing has to be downloaded: a picture and a voice note."""

import math
import struct
import zlib
from functools import lru_cache

_WIDTH, _HEIGHT = 400, 300
_HILLS = 3
_SKY = 200  # shades of the sky, each a colour of the palette
_SILENT_FRAME = b"\xf8\xff\xfe"  # 20 ms of silence: CELT, full band, mono (RFC 6716)
_SAMPLES_PER_FRAME = 960  # at 48 kHz


@lru_cache(32)
def sample_photo(hue: int) -> bytes:
    """A PNG of hills under an evening sky; `hue` in degrees gives its colours."""
    crests = [[_crest(layer, x, hue) for x in range(_WIDTH)] for layer in range(_HILLS)]
    rows = [b"\0" + bytes(_shade(x, y, crests) for x in range(_WIDTH)) for y in range(_HEIGHT)]
    header = struct.pack(">IIBBBBB", _WIDTH, _HEIGHT, 8, 3, 0, 0, 0)
    chunks = (
        (b"IHDR", header),
        (b"PLTE", b"".join(bytes(colour) for colour in _palette(hue))),
        (b"IDAT", zlib.compress(b"".join(rows), 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(_png_chunk(kind, data) for kind, data in chunks)


def _crest(layer: int, x: int, hue: int) -> float:
    """Where a row of hills begins, in pixels from the top; layer 0 stands in front."""
    wave = math.sin(x / (46 + 17 * layer) + hue / 40 + layer * 2.1)
    return _HEIGHT * (0.86 - 0.13 * layer) + (16 - 3 * layer) * wave


def _shade(x: int, y: int, crests: list[list[float]]) -> int:
    for layer, crest in enumerate(crests):
        if y > crest[x]:
            return _SKY + layer
    if (x - 0.7 * _WIDTH) ** 2 + (y - 0.38 * _HEIGHT) ** 2 < 30**2:
        return _SKY + _HILLS
    return y * _SKY // _HEIGHT


def _palette(hue: int) -> list[tuple[int, int, int]]:
    sky = [_rgb(hue + 45 * shade / _SKY, 0.66, 0.5 + 0.38 * shade / _SKY) for shade in range(_SKY)]
    hills = [_rgb(hue - 12 + 12 * layer, 0.4, 0.2 + 0.12 * layer) for layer in range(_HILLS)]
    return [*sky, *hills, (255, 246, 222)]


def _rgb(hue: float, saturation: float, lightness: float) -> tuple[int, int, int]:
    """HSL to RGB (CSS Color 4, 7.1)."""
    spread = saturation * min(lightness, 1 - lightness)

    def channel(offset: int) -> int:
        k = (offset + hue / 30) % 12
        return round(255 * (lightness - spread * max(-1.0, min(k - 3, 9 - k, 1.0))))

    return channel(0), channel(8), channel(4)


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def sample_voice(seconds: int) -> bytes:
    """A valid Ogg Opus file (RFC 7845) of silence, at most two minutes."""
    frames = min(seconds, 120) * 50
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 312, 48_000, 0, 0)
    vendor = b"sandbox"
    tags = b"OpusTags" + struct.pack("<I", len(vendor)) + vendor + struct.pack("<I", 0)
    pages = [_ogg_page([head], 0, 0, 2), _ogg_page([tags], 0, 1, 0)]
    for number, first in enumerate(range(0, frames, 50)):
        packets = [_SILENT_FRAME] * min(50, frames - first)
        position = (first + len(packets)) * _SAMPLES_PER_FRAME
        last = first + len(packets) >= frames
        pages.append(_ogg_page(packets, position, number + 2, 4 if last else 0))
    return b"".join(pages)


def _ogg_page(packets: list[bytes], position: int, number: int, flags: int) -> bytes:
    """One page (RFC 3533). Every packet here is shorter than 255 bytes: one lacing value each."""
    lacing = bytes(len(packet) for packet in packets)
    head = struct.pack("<4sBBqIIIB", b"OggS", 0, flags, position, 1, number, 0, len(packets))
    page = bytearray(head + lacing + b"".join(packets))
    page[22:26] = struct.pack("<I", _ogg_checksum(page))
    return bytes(page)


def _ogg_checksum(page: bytes | bytearray) -> int:
    crc = 0
    for byte in page:
        crc ^= byte << 24
        for _ in range(8):
            crc = ((crc << 1) ^ 0x04C11DB7) & 0xFFFFFFFF if crc & 0x80000000 else (crc << 1) & 0xFFFFFFFF
    return crc
