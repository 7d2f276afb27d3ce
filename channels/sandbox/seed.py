"""Eight invented customers around the world, so that a demo has somebody awake at any hour."""

from typing import Any

from channels.sandbox.store import Store

_PEOPLE = (
    # first name, last name, username, language, time zone, place, hue
    ("Inés", "Calderón", "ines_c", "es", "Europe/Madrid", "Cádiz, Spain", 12),
    ("Kenji", "Moriyama", "kenji_m", "ja", "Asia/Tokyo", "Kamakura, Japan", 350),
    ("Amara", "Okonjo", "amara_ok", "en", "Africa/Lagos", "Lagos, Nigeria", 145),
    ("Lars", "Bergdahl", "lars_berg", "sv", "Europe/Stockholm", "Uppsala, Sweden", 210),
    ("Priya", "Raghunath", "priya_r", "hi", "Asia/Kolkata", "Pune, India", 275),
    ("Mateus", "Vilarinho", "mateus_v", "pt", "America/Sao_Paulo", "Santos, Brazil", 95),
    ("Hana", "Te Aroha", "hana_ta", "en", "Pacific/Auckland", "Wellington, New Zealand", 180),
    ("Layla", "Haddadin", "layla_h", "ar", "Asia/Amman", "Amman, Jordan", 40),
)
_FIRST_ID = 700_000_101


def person_values(number: int, names: tuple[str, ...], hue: int) -> dict[str, Any]:
    keys = ("first_name", "last_name", "username", "language", "time_zone", "place")
    return {"id": _FIRST_ID + number, **dict(zip(keys, names, strict=True)), "hue": hue}


def seed(store: Store) -> None:
    """Add the customers that are not there yet. Their Telegram ids are always the same."""
    for number, (*names, hue) in enumerate(_PEOPLE):
        values = person_values(number, tuple(str(name) for name in names), int(hue))
        if store.row("select id from people where id = ?", values["id"]) is None:
            store.insert("people", values)


def next_person_number(store: Store) -> int:
    """The number after everybody there is; the first eight stay reserved for `seed`."""
    found = store.row("select max(id) as last from people")
    last = found["last"] if found and found["last"] else 0
    return int(max(last + 1 - _FIRST_ID, len(_PEOPLE)))
